// Package callback takes what WeCom (企业微信) sends to an app's callback
// address (接收消息 URL): the check of the address, and the event that an
// upload's job has ended.
//
// Begin with New, which wants the Token and the EncodingAESKey that the admin
// console shows beside the address, and serve a *Handler there. Its Finished
// gets the job ids. A Codec alone signs, seals and opens messages.
//
// # Policy
//
//   - A callback only says when to look: it carries no result and is never
//     counted upon. It may come twice, before the submit's answer, or never.
//     So it is answered at once, and its job is asked about.
//   - Nothing is read before its signature holds, and nothing is believed that
//     was not sealed for our corp. The signature covers four things: Token,
//     timestamp, nonce and the sealed text. The address may have parameters
//     of its own.
//   - WeCom tells events apart by FromUserName and CreateTime. Here that fails:
//     the one is always "sys", the other counts seconds, and two jobs may end
//     in the same second. Jobs are told apart by JobId.
//   - A refusal says nothing to the sender. The reason is in the log, with the
//     cure; tokens, keys and bodies never are.
//   - What an anonymous sender can cost is bounded: 64 KiB and five seconds
//     for a body, 32 levels of XML, no DOCTYPE. Only what WeCom signed is
//     remembered, a bounded number of it.
//
// The format is that of developer.work.weixin.qq.com/document/path/90968 and
// its neighbours 91144 and 101033.
package callback
