package costest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// counted is before the Faults: what they spoil has arrived all the same.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.serial++
		if r.Method == http.MethodPut {
			s.puts[keyOf(r)]++
		}
		id := fmt.Sprintf("Y29zdGVzdA_%06d", s.serial)
		s.mu.Unlock()
		w.Header().Set("x-cos-request-id", id)
		next.ServeHTTP(w, r)
	})
}

// keyOf is the decoded path: the SDK sends "/" as %2F, browsers and WeCom as
// it is.
func keyOf(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/") }

// ServeHTTP answers one request as the bucket's own host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	t := s.trouble
	s.mu.Unlock()
	now := time.Now().Add(t.Skew)
	w.Header().Set("Server", "tencent-cos")
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if err := s.serve(w, r, keyOf(r), t, now); err != nil {
		s.refuse(w, r, err)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, key string, t Trouble, now time.Time) *Error {
	signed := r.Header.Get("Authorization") != ""
	if signed {
		if err := s.verify(r, now); err != nil {
			return err
		}
	}
	switch {
	case t.NoBucket:
		return &Error{404, "NoSuchBucket", "The specified bucket does not exist"}
	case signed && slices.Contains(t.Deny, r.Method):
		return &Error{403, "AccessDenied", "Access Denied"}
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if key == "" {
			return s.list(w, signed)
		}
		return s.get(w, r, key, signed, t)
	case http.MethodPut:
		if !signed {
			return denied()
		}
		return s.put(w, r, key, t)
	case http.MethodDelete:
		if !signed {
			return denied()
		}
		s.mu.Lock()
		delete(s.objects, key)
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent) // also if there was none
		return nil
	}
	return &Error{405, "MethodNotAllowed", "The specified method is not allowed against this resource"}
}

func denied() *Error { return &Error{403, "AccessDenied", "Access Denied"} }

// put stores the whole body, or nothing. That every check but the digest
// comes before the body is read is assumed.
func (s *Server) put(w http.ResponseWriter, r *http.Request, key string, t Trouble) *Error {
	if t.Refuse != nil {
		return t.Refuse
	}
	public, err := s.aclOf(r, key, t)
	if err != nil {
		return err
	}
	want, err := contentMD5(r)
	if err != nil {
		return err
	}
	if key == "" || len(key) > 850 || strings.HasPrefix(key, "/") {
		return &Error{400, "InvalidURI", "The key is empty, too long or begins with a slash"}
	}
	forbid := r.Header.Get("x-cos-forbid-overwrite") == "true" && !s.opt.Versions
	if _, there := s.Object(key); forbid && there {
		return exists()
	}
	body, readErr := io.ReadAll(r.Body)
	if readErr != nil || int64(len(body)) != r.ContentLength {
		return &Error{400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"}
	}
	sum := md5Hex(body)
	if want != "" && want != sum {
		return &Error{400, "BadDigest", "The Content-MD5 you specified did not match what we received"}
	}
	o := Object{Body: body, MD5: sum, Header: kept(r.Header), Public: public, Stored: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.objects[key]; forbid && there {
		return exists()
	}
	s.objects[key] = o
	etag(w.Header(), o, t)
	w.Header().Set("x-cos-hash-crc64ecma", strconv.FormatUint(crc64.Checksum(body, crc64.MakeTable(crc64.ECMA)), 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

func exists() *Error {
	return &Error{409, "FileAlreadyExists", "The object already exists and must not be overwritten"}
}

func (s *Server) aclOf(r *http.Request, key string, t Trouble) (public bool, err *Error) {
	switch acl := r.Header.Get("x-cos-acl"); acl {
	case "", "default", "private":
		return false, nil
	case "public-read":
	default:
		return false, &Error{400, "InvalidArgument", "x-cos-acl " + acl + " is not one of an object's"}
	}
	switch {
	case t.DenyACL:
		return false, denied()
	case t.NoACL:
		return false, &Error{501, "NotImplemented", "A header you provided implies functionality that is not implemented"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	used := 0
	for k, o := range s.objects {
		if o.Public && k != key {
			used++
		}
	}
	if used >= s.opt.ACLs {
		return false, &Error{400, "AttachmentFull", "The number of ACLs and policies has reached its limit"}
	}
	return true, nil
}

// contentMD5 is the header in hex, "" if there is none. COS does not ask for
// it; neither do we, the driver's tests do.
func contentMD5(r *http.Request) (string, *Error) {
	if r.ContentLength < 0 {
		return "", &Error{411, "MissingContentLength", "You must provide the Content-Length HTTP header"}
	}
	v := r.Header.Get("Content-MD5")
	sum, err := base64.StdEncoding.DecodeString(v)
	if err != nil || v != "" && len(sum) != md5.Size {
		return "", &Error{400, "InvalidDigest", "The Content-MD5 you specified is not valid"}
	}
	return hex.EncodeToString(sum), nil
}

func kept(in http.Header) http.Header {
	out := http.Header{}
	for k, v := range in {
		if k == "Content-Type" || k == "Content-Disposition" || k == "Cache-Control" || strings.HasPrefix(k, "X-Cos-Meta-") {
			out[k] = slices.Clone(v)
		}
	}
	return out
}

func etag(h http.Header, o Object, t Trouble) {
	tag := o.MD5
	switch {
	case t.ETag != "":
		tag = t.ETag
	case t.Encrypted:
		tag = md5Hex([]byte("encrypted" + o.MD5))
		h.Set("x-cos-server-side-encryption", "cos/kms")
	}
	h.Set("ETag", `"`+tag+`"`)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, key string, signed bool, t Trouble) *Error {
	s.mu.Lock()
	o, there := s.objects[key]
	open := s.public(key, o)
	s.mu.Unlock()
	switch {
	case !signed && !open:
		return denied()
	case !there:
		return &Error{404, "NoSuchKey", "The specified key does not exist."}
	case !signed && s.forced() && (path.Ext(key) == ".apk" || path.Ext(key) == ".ipa"):
		return &Error{403, "DownloadForbidden", "Downloading this kind of file from the default domain is forbidden"}
	}
	h := w.Header()
	for k, v := range o.Header {
		h[k] = v
	}
	etag(h, o, t)
	if s.forced() {
		// cloud.tencent.com/document/product/436/57456
		h.Set("x-cos-force-download", "true")
		h.Set("Content-Disposition", "attachment")
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/octet-stream")
	}
	http.ServeContent(w, r, "", o.Stored, bytes.NewReader(o.Body))
	return nil
}

func (s *Server) forced() bool { return !s.opt.Old && !s.opt.CustomDomain }

func (s *Server) list(w http.ResponseWriter, signed bool) *Error {
	if !signed && !s.opt.PublicList {
		return denied()
	}
	type contents struct{ Key string }
	list := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Name     string
		Contents []contents
	}{Name: s.opt.Bucket}
	for _, k := range s.Keys() {
		list.Contents = append(list.Contents, contents{k})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(list)
	return nil
}

// refuse answers with an error; to HEAD without the body that explains it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, e *Error) {
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("x-cos-trace-id", "dHJhY2U")
	// What was announced and not read would otherwise be drained.
	if r.ContentLength > 0 {
		h.Set("Connection", "close")
	}
	w.WriteHeader(e.Status)
	if r.Method == http.MethodHead {
		return
	}
	answer := struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Resource  string
		RequestID string `xml:"RequestId"`
		TraceID   string `xml:"TraceId"`
	}{Code: e.Code, Message: e.Message, Resource: r.Host + r.URL.EscapedPath(), RequestID: h.Get("x-cos-request-id"), TraceID: "dHJhY2U"}
	_ = xml.NewEncoder(w).Encode(answer)
}

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}
