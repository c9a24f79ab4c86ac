// Package inspect reads a file once and says what it is, whether WeCom can
// take it, its MD5, and the name to show for it.
//
// Read is the function to use first. It looks at size and kind before the
// first byte, then makes one pass over the content: MD5, and for an MP4 its
// boxes; with Options.Ahead a second goroutine reads meanwhile. It refuses what
// WeCom would refuse later, or what people could not play, with an *Error that
// can explain itself and its cure in Chinese and English. It never refuses for
// taste: an odd codec is a Warning, for WeCom's only published rule for a video
// is that it be an MP4 (developer.work.weixin.qq.com/document/path/96219).
//
// Complete is the cheap look beforehand, for a file in a drop folder that may
// still be arriving. ShownName is the rule for names alone.
//
// The box walker is our own. It holds constant memory and takes linear time
// whatever the bytes are; the two known MP4 libraries do not. It does not
// decode, so damage inside the media data goes unseen.
package inspect
