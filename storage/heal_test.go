package storage_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wedrop/storage"
)

// An object that was stored while ACLs were refused stays private after the
// bucket takes them: the same command has to succeed then.
func TestACopyThatIsNotPublicIsSentAgainOnce(t *testing.T) {
	t.Parallel()
	noACL := failing(storage.CauseNoACL, "AccessControlListNotSupported", 400)
	for name, c := range map[string]struct {
		access  storage.Access
		refuses bool   // ACLs, still
		opens   bool   // an ACL makes an object public
		want    []bool // ACL of the requests after the first run
		kind    storage.Kind
	}{
		"auto, ACLs are taken now":          {storage.AccessAuto, false, true, []bool{true}, ""},
		"auto, ACLs are refused still":      {storage.AccessAuto, true, false, []bool{true}, storage.NotPublic},
		"auto, ACLs are ignored":            {storage.AccessAuto, false, false, []bool{true}, storage.NotPublic},
		"object-acl, ACLs are taken now":    {storage.AccessACL, false, true, []bool{true}, ""},
		"bucket-policy, a PUT opens naught": {storage.AccessPolicy, false, true, nil, storage.NotPublic},
	} {
		var f *fake
		public := map[string]bool{}
		f = serve(t, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			o, ok := f.objects[strings.TrimPrefix(r.URL.Path, "/")], public[strings.TrimPrefix(r.URL.Path, "/")]
			f.mu.Unlock()
			if !ok {
				http.Error(w, "<Code>AccessDenied</Code>", http.StatusForbidden)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(o)))
		})
		b := bucketOver(t, f, func(o *storage.Options) { o.Access = c.access })
		// The copy of an earlier run, which had no ACL.
		first := bucketOver(t, f, func(o *storage.Options) { o.Access = storage.AccessPolicy })
		obj, err := first.PutPublic(t.Context(), blobOf("content"))
		require.Equal(t, storage.NotPublic, kindOf(t, err).Kind, name)
		require.True(t, obj.Uploaded, name)
		if c.access == storage.AccessAuto { // what this process has learned
			f.before = func(_ int, r storage.PutRequest) error {
				if r.ACL {
					return noACL
				}
				return nil
			}
			_, err = b.Put(t.Context(), blobOf("other"))
			require.NoError(t, err, name)
		}
		f.before = func(_ int, r storage.PutRequest) error {
			if r.ACL && c.refuses {
				return noACL
			}
			f.mu.Lock()
			public[r.Key] = r.ACL && c.opens
			f.mu.Unlock()
			return nil
		}
		before := len(f.requests())
		_, err = b.PutPublic(t.Context(), blobOf("content"))
		if c.kind == "" {
			require.NoError(t, err, name)
		} else {
			require.Equal(t, c.kind, kindOf(t, err).Kind, name)
		}
		var got []bool
		for _, r := range f.requests()[before:] {
			got = append(got, r.ACL)
		}
		require.Equal(t, c.want, got, name)
	}
}

// A link that leads nowhere is a wrong public_url: another PUT cures nothing.
func TestALinkThatLeadsNowhereSendsNothingAgain(t *testing.T) {
	t.Parallel()
	f := serve(t, http.NotFound)
	b := bucketOver(t, f)
	_, err := b.Put(t.Context(), blobOf("content"))
	require.NoError(t, err)
	_, err = b.PutPublic(t.Context(), blobOf("content"))
	require.Equal(t, storage.NotPublic, kindOf(t, err).Kind)
	require.Len(t, f.requests(), 1)
}
