package s3test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"time"
)

// A refusal is an answer that is an error.
type refusal struct {
	status        int
	code, message string
}

var (
	accessDenied = &refusal{403, "AccessDenied", "Access Denied"}
	noSuchKey    = &refusal{404, "NoSuchKey", "The specified key does not exist."}
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amz-request-id", "S3TESTREQUEST")
	w.Header().Set("Server", "s3test")
	set := s.read()
	w.Header().Set("Date", time.Now().Add(set.Ahead).UTC().Format(http.TimeFormat))
	signed, no := s.authenticate(r, set)
	if no == nil {
		no = s.answer(w, r, set, signed)
	}
	if no != nil {
		refuse(w, r, no)
	}
}

func refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(no.status)
	if r.Method == http.MethodHead {
		return
	}
	type body struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestId string
	}
	io.WriteString(w, xml.Header)
	xml.NewEncoder(w).Encode(body{Code: no.code, Message: no.message, RequestId: "S3TESTREQUEST"})
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, set Settings, signed bool) *refusal {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case set.NoPublicEndpoint:
		return &refusal{400, "PublicEndpointForbidden", "Public endpoint is forbidden."}
	case bucket != s.Bucket:
		return &refusal{404, "NoSuchBucket", "The specified bucket does not exist"}
	case (!ok || key == "") && r.Method == http.MethodGet && set.PublicList:
		return s.list(w, r.URL.Query().Get("prefix"))
	case !ok || key == "":
		return accessDenied // listings and the like need rights that wedrop does not have
	}
	switch r.Method {
	case http.MethodPut:
		if !signed || set.ReadOnly {
			return accessDenied
		}
		return s.put(w, r, set, key)
	case http.MethodGet, http.MethodHead:
		return s.get(w, r, set, key, signed)
	case http.MethodDelete:
		if !signed || set.ReadOnly {
			return accessDenied
		}
		s.Remove(key)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return &refusal{405, "MethodNotAllowed", "The specified method is not allowed against this resource."}
}

// list shows everybody the keys that begin with prefix.
func (s *Server) list(w http.ResponseWriter, prefix string) *refusal {
	type contents struct{ Key string }
	page := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Name     string
		Contents []contents
	}{Name: s.Bucket}
	for _, key := range s.Keys() {
		if strings.HasPrefix(key, prefix) {
			page.Contents = append(page.Contents, contents{key})
		}
	}
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(page)
	return nil
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, set Settings, key string, signed bool) *refusal {
	s.mu.Lock()
	o, ok := s.objects[key]
	s.mu.Unlock()
	public := o.public && !set.IgnorePublicACLs || set.opens(s.Bucket, key)
	switch {
	case !signed && !public:
		return accessDenied // whether there is an object is nobody's affair
	case !ok && (set.NoList || !signed):
		return accessDenied
	case !ok:
		return noSuchKey
	}
	h := w.Header()
	for name, v := range o.meta {
		h[name] = v
	}
	h.Set("ETag", o.etag())
	h.Set("Content-Type", o.contentType)
	h.Set("Accept-Ranges", "bytes")
	if o.kms {
		h.Set("x-amz-server-side-encryption", "aws:kms")
	}
	if o.disposition != "" {
		h.Set("Content-Disposition", o.disposition)
	}
	http.ServeContent(w, r, "", o.at, bytes.NewReader(o.content))
	return nil
}

func (o object) etag() string {
	if o.kms {
		sum := md5.Sum([]byte("sealed " + o.md5))
		return `"` + hex.EncodeToString(sum[:]) + `"`
	}
	return `"` + o.md5 + `"`
}

// put refuses what it can before the body is read, as AWS does.
func (s *Server) put(w http.ResponseWriter, r *http.Request, set Settings, key string) *refusal {
	acl := r.Header.Get("x-amz-acl")
	public := strings.HasPrefix(acl, "public-")
	ifAbsent := r.Header.Get("If-None-Match")
	switch {
	case r.ContentLength < 0:
		return &refusal{411, "MissingContentLength", "You must provide the Content-Length HTTP header."}
	case set.OwnerEnforced && acl != "" && acl != "bucket-owner-full-control":
		return &refusal{400, "AccessControlListNotSupported", "The bucket does not allow ACLs"}
	case set.BlockPublicACLs && public:
		return accessDenied
	case ifAbsent != "" && set.NoConditions:
		return &refusal{501, "NotImplemented", "A header you provided implies functionality that is not implemented"}
	case ifAbsent != "" && ifAbsent != "*":
		return &refusal{501, "NotImplemented", "If-None-Match takes * alone"}
	case ifAbsent != "" && s.has(key):
		return exists
	}
	body, no := readBody(r, set)
	if no != nil {
		return no
	}
	o := object{
		content:     body,
		md5:         hexMD5(body),
		contentType: r.Header.Get("Content-Type"),
		disposition: r.Header.Get("Content-Disposition"),
		public:      public && !s.Faults.IgnoresACL(),
		kms:         set.KMS,
		at:          time.Now(),
		meta:        http.Header{},
		asked:       r.Header.Clone(),
	}
	for name, v := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			o.meta[name] = v
		}
	}
	if !s.store(key, o, ifAbsent != "") {
		return exists
	}
	if o.kms {
		w.Header().Set("x-amz-server-side-encryption", "aws:kms")
	}
	w.Header().Set("ETag", o.etag())
	w.WriteHeader(http.StatusOK)
	return nil
}

var exists = &refusal{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"}

func (s *Server) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.objects[key]
	return ok
}

func (s *Server) store(key string, o object, ifAbsent bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok && ifAbsent {
		return false
	}
	s.objects[key] = o
	s.puts[key]++
	return true
}

// readBody returns the body if it is what the headers promise.
func readBody(r *http.Request, set Settings) ([]byte, *refusal) {
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, &refusal{400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"}
	}
	if want := r.Header.Get("Content-MD5"); want != "" {
		sum := md5.Sum(body)
		if raw, err := base64.StdEncoding.DecodeString(want); err != nil || len(raw) != md5.Size {
			return nil, &refusal{400, "InvalidDigest", "The Content-MD5 you specified was invalid."}
		}
		if base64.StdEncoding.EncodeToString(sum[:]) != want {
			return nil, &refusal{400, "BadDigest", "The Content-MD5 you specified did not match what we received."}
		}
	}
	if want := r.Header.Get("x-amz-checksum-crc32c"); want != "" && !set.NoChecksums {
		sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
		if base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)) != want {
			return nil, &refusal{400, "BadDigest", "The CRC32C you specified did not match the calculated checksum."}
		}
	}
	if want := r.Header.Get("x-amz-content-sha256"); want != unsigned {
		sum := sha256.Sum256(body)
		if hex.EncodeToString(sum[:]) != want {
			return nil, &refusal{400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."}
		}
	}
	return body, nil
}

func hexMD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// opens reads the policy. What it does not understand opens nothing.
func (set Settings) opens(bucket, key string) bool {
	if set.Policy == "" || set.RestrictPolicy {
		return false
	}
	var p struct {
		Version   string
		Statement []struct {
			Sid, Effect, Principal, Action, Resource string
		}
	}
	d := json.NewDecoder(strings.NewReader(set.Policy))
	d.DisallowUnknownFields()
	if d.Decode(&p) != nil || p.Version != "2012-10-17" {
		return false
	}
	for _, st := range p.Statement {
		prefix, ok := strings.CutSuffix(st.Resource, "*")
		prefix, arn := strings.CutPrefix(prefix, fmt.Sprintf("arn:aws:s3:::%s/", bucket))
		if ok && arn && st.Effect == "Allow" && st.Principal == "*" && st.Action == "s3:GetObject" && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
