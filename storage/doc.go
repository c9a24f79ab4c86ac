// Package storage gives a local file a public copy that WeCom can fetch.
//
// Start with [New]: it makes a [Bucket] of a [Driver] (see the packages
// s3bucket, cosbucket and dirbucket). [Bucket.Put] makes sure that the copy
// is there, [Bucket.Prove] fetches its first and last bytes as WeCom would,
// without credentials, and [Bucket.Remove] takes it away again.
//
// The policy behind it:
//
//   - The key is the content's MD5, so equal content is stored once, and a
//     link cannot be guessed by somebody who does not have the file.
//   - A body that differs from its MD5 never becomes visible. Otherwise wrong
//     bytes would stay under a key that is trusted from then on, and the file
//     could never be sent again.
//   - Settings and answers of a service prove nothing: there are services
//     that accept an ACL and ignore it. Only the anonymous fetch decides.
//   - One loop tries again for all drivers. It opens the file anew for each
//     try, and it knows which errors last.
//   - The rights needed are PutObject, GetObject and DeleteObject under the
//     prefix, nothing else: no listing, no creation of buckets.
package storage
