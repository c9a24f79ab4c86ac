// Package wecom speaks to WeCom (企业微信): it hands files over by their link,
// asks for the media_id, puts it into group welcome templates and reads it back.
//
// Begin with New. Then, by what there is to do:
//
//   - A file to a media_id: Client.UploadByURL, which returns a job id, and
//     Client.UploadResult, which is asked until the Result is Ready or has an
//     Err. Package callback is told when it is time to ask.
//   - A media_id to a welcome message: Client.AddWelcomeTemplate, and
//     WelcomeTemplate.Check before it where somebody is typing. Set Notify, or
//     members are told of the template. Keep the id: WeCom has no list.
//   - A media_id back to a file: Client.DownloadFile, or Client.Download to
//     compare the MD5 alone.
//
// Package pipeline does the first for whole folders, with a ledger, and keeps
// media_ids alive. A *Client is safe for concurrent use; a process needs one
// for each app.
//
// # Policy
//
// Every call goes through one function, so these hold for all of them:
//
//   - An answer is judged by its errcode, never by errmsg. Codes that matter
//     here are a table of data: what happened, what to do about it (zh and en)
//     and a Class for programs. See Codes and Error.Explain.
//   - A failed call is an *Error (but see below). It never holds a token, a
//     secret or the query of an address, not even where a server echoes them.
//   - errors.Is(err, context.Canceled) and context.DeadlineExceeded are true
//     only if the caller's own context ended. Time-outs of the network are
//     KindUnreachable.
//   - A call is made once. Only a refused token (40014, 42001) is replaced and
//     the call repeated, once. Every other retry is the caller's to decide, by
//     Error.Class: WeCom has no idempotency key, so a submit whose answer was
//     lost may have made a job, and an add a template. Downloads alone go on by
//     themselves where an answer broke off, a bounded number of times.
//   - Answers are read with tolerance, for the official page contradicts
//     itself: numbers may be strings, members may be missing, an unknown job
//     status means "keep waiting".
//
// The one error that is no *Error is that of a TokenStore, a TokenSource or a
// Limiter which was passed in: it comes back wrapped.
//
// # Tokens
//
// A Client fetches a token when it needs one, keeps it in memory and, sealed
// with a key that is derived from the secret, in the TokenStore. However many
// processes share the store, one of them fetches and the others wait. A secret
// that WeCom refuses is not tried again for an hour by any of them: after many
// wrong tries WeCom bans the whole IP from gettoken, innocent apps included.
package wecom
