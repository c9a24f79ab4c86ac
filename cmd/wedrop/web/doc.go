// Package web is what a person opens in a browser and what the welcome-message
// tool calls: the page, the HTTP API with its OpenAPI document, and uploads
// that go on where they were cut off.
//
// New makes a Site, which is an http.Handler for everything but WeCom's
// callbacks and the health checks; Site.Run sweeps up after uploads. What
// comes in is written to Options.Inbox, entered into the ledger, and carried
// by whoever serves it: the package makes no call of WeCom or a bucket itself,
// but for those about welcome templates.
//
// # Who may come in
//
// Without a token whoever reaches the address may do everything, so the
// address has to be loopback, and the Host of a request too: a page elsewhere
// whose name is made to resolve to 127.0.0.1 (DNS rebinding) is refused.
// With a token, tools send it as a Bearer and people sign in for a cookie that
// no script can read and no other site can send. The Host has then to be an IP
// address, localhost, this machine's name, or one of Options.Hosts. Rebinding
// would gain nothing there, for the cookie belongs to the host it came from;
// the rule is kept all the same, as it costs nothing.
//
// Everybody may have the page's own files (/static/), the sign-in page and
// nothing else. Changing requests of other origins are refused whoever sends
// them. Five wrong tokens a minute are all that an address has; an address is
// who holds the connection, never what X-Forwarded-For says. So behind a proxy
// all people share one address, and its five tries.
package web
