// Package wecomtest is a WeCom on loopback: it keeps the documented rules of
// the calls that wedrop makes, fetches links as WeCom's back end would, and
// goes wrong on demand. The tests and `wedrop demo` have it as their other
// side, so it imports nothing that is for tests only.
//
// Start it, hand Server.URL to wecom.Config.BaseURL, and look at what came in
// with Calls, Fetches, Jobs, Callbacks and Messages. Inject makes the next
// calls go wrong, Options.Callback the events. Nothing here sleeps for the
// clock: give Options.Clock and advance it.
//
// # What is documented, and kept
//
// The numbers are those of developer.work.weixin.qq.com/document/path/.
//
//   - gettoken (91039): GET with corpid and corpsecret; 41002 and 41004 where
//     one is missing, 40013 a wrong corp, 40001 a wrong secret, 40091 the
//     secret of another corp. A token is opaque, of one app, and at most 512
//     bytes long. A new fetch within its life answers with the same token, as
//     older copies of the page say (Options.FreshTokens: with a new one).
//   - Wrong secrets get the whole address banned from gettoken for an hour
//     (45009), and so do more than five calls a minute with debug=1, for that
//     minute (global table of errors).
//   - Every other call wants access_token in the query: 41001 without, 40014
//     unknown or revoked, 42001 expired. Then come the trusted addresses
//     (60020) and the permission 客户联系 (48002). gettoken is not behind the
//     trusted addresses, as people report.
//   - An error's errmsg ends in hint, from ip and the address of a help page.
//   - media/upload_by_url (97126): scene 1; type video or file; filename up
//     to 128 bytes, url up to 1,024 bytes, md5 32 bytes.
//   - The link is fetched in Range chunks and without credentials. A job ends
//     with 830001 (no Range), 830003 (not to be had), 45001 (size), 301019
//     (MD5), or well.
//   - media/get_upload_by_url_result (97126): answers for 60 minutes; status 1,
//     2 or 3 with its detail.
//   - media/get (96486): over 20 MiB only in Range chunks of at most 20 MiB,
//     else 830002; three days long.
//   - externalcontact/group_welcome_template/add, edit, get and del (92366):
//     40063 for nothing at all, for an empty object (as people report) and for
//     a required text that is missing; 45002 for a text over 3,000 bytes; of
//     several attachments the first of image, link, miniprogram, file and video
//     is shown; a media_id of upload_by_url stands for a video or a file and
//     for three days, else 40007; 40037 to edit or delete another app's, 40036
//     for an unknown template_id; 301002 for the agentid of another app, 40056
//     for nobody's; 100 of a corp. notify: members are told at 1, and if it is
//     absent, which Notified counts; edit has none.
//   - The limits of calls a minute (45009) and of calls at once (45033) are
//     off unless Options sets them.
//   - The end of a job is told to Options.Callback: the event of 97126, sealed
//     and signed (91144), and without a result. What is not answered within
//     five seconds, or breaks, is sent again, three times in all; an answer
//     other than 200 is not. CheckURL checks the address as the admin console
//     does, within a second (101033).
//   - webhook/send, the group robots' call, wants a key and no token; a text up
//     to 2,048 bytes, a markdown up to 4,096; 20 messages a minute, then 45009.
//
// # What is chosen here, because the live service's behaviour is unknown
//
// Do not take any of this for a fact about WeCom, and let no client rely on it.
//
//   - The order of the checks: limits, token, address, permission, body.
//   - The texts of errmsg before the tail, and the digits of the hint.
//   - 40035 for a body that is not a JSON object, for a member of the wrong
//     JSON type and for a scene other than 1; 40058 for a member that is
//     missing or too long; 43001 and 43002 for the wrong HTTP method.
//   - The Content-Type of a call is not looked at.
//   - A path that is no API here is HTTP 404 with a page of HTML.
//   - A job id that is unknown, of another corp or older than 60 minutes:
//     Options.UnknownJobCode.
//   - The fetch: the size of a chunk, chunks one after the other, no HEAD, no
//     second try, no redirect followed (a redirect is 830003), the time-out,
//     the User-Agent, how many at once. An answer to a Range that is no 206
//     with a fitting Content-Range is 830001; a body that is shorter or longer
//     than that Content-Range, or a size that changes on the way, is 830003.
//   - Sizes: 5 bytes pass, 4 do not; 200 MiB (209,715,200 bytes) pass. Empty
//     is 45001, however the server says it.
//   - The verdict on bytes that are wrong twice: size, then MD5, then MP4.
//   - An MD5 in upper case never matches.
//   - type video takes what has an ftyp box ahead of its media and does not
//     call itself QuickTime or a picture; else the job ends with
//     Options.NotMP4Code. Nothing is known about the live check.
//   - Equal submits make a job each, with a media_id each.
//   - A job's 60 minutes count from the submit; a media_id's three days from
//     its created_at; created_at is the end of the job.
//   - A result may be read any number of times.
//   - media/get: HTTP 416 for a range behind the end, the whole file where the
//     Range header cannot be read (20 MiB at most, like every answer), 40007
//     for any media_id that is not this corp's or is over three days old.
//   - Templates: 40058 for a title or description that is too long, a notify
//     other than 0 or 1 and (Options.FullLibraryCode) for the 101st; null for a
//     member that is not set; a notify at edit is not looked at; get works for
//     all apps of the corp, has the attachment that is shown alone, and for an
//     image an address that leads nowhere; the digits of a template_id. Where
//     pictures come from is not simulated: every media_id is one that is not
//     upload_by_url's. The agent ids of Options.Corps are not checked. A
//     template stays when its media's three days are over.
//   - An Error-Code header comes with Shape.TextErrors alone.
//   - An older token stays good until its own end when a newer one is issued.
//   - What counts as a wrong secret for the ban: 40001 and 40091. Its hour
//     starts with the first wrong secret, the ban with the last one allowed.
//   - Callbacks: "three times in all" is three tries after the first, at once,
//     of the same request; one address for all apps; the AgentID; text/xml; how
//     many are sent at once. Older pages have every answer but 200 tried again:
//     Callback.RetryRefused.
//   - The robot: 93000 without a good key, 40008 for a type other than text and
//     markdown, 40058 for a text that is missing or too long. A message that is
//     refused counts for the robot's limit.
//   - A limit counts in minutes that start with their first call, and blocks
//     for a minute from the call that was too much.
package wecomtest
