package wecomtest

// The codes that the Server answers with. Their texts are ours in WeCom's
// manner: only the number is for programs (document/path/90455).
const (
	codeBadSecret       = 40001
	codeBadType         = 40004
	codeBadMediaID      = 40007
	codeBadMessage      = 40008
	codeBadCorp         = 40013
	codeBadToken        = 40014
	codeBadParameter    = 40035
	codeLongURL         = 40039
	codeBadRequest      = 40058
	codeBadTemplate     = 40036
	codeForeignTemplate = 40037
	codeBadAgent        = 40056
	codeEmpty           = 40063
	codeLongText        = 45002
	codeForeignAgent    = 301002
	codeForeignSecret   = 40091
	codeNotHTTP         = 40094
	codeNoToken         = 41001
	codeNoCorp          = 41002
	codeNoSecret        = 41004
	codeNoMediaID       = 41006
	codeExpiredToken    = 42001
	codeNeedsGet        = 43001
	codeNeedsPost       = 43002
	codeSize            = 45001
	codeTooMany         = 45009
	codeTooManyAtOnce   = 45033
	codeNoPermission    = 48002
	codeUntrustedIP     = 60020
	codeBadRobot        = 93000
	codeMD5Mismatch     = 301019
	codeNoRange         = 830001
	codeRangeTooLarge   = 830002
	codeDownloadFailed  = 830003
)

func textOf(code int) string {
	switch code {
	case -1:
		return "system error"
	case codeBadSecret:
		return "invalid credential"
	case codeBadType:
		return "invalid media type"
	case codeBadMediaID:
		return "invalid media_id"
	case codeBadMessage:
		return "invalid message type"
	case codeBadCorp:
		return "invalid corpid"
	case codeBadToken:
		return "invalid access_token"
	case codeBadParameter:
		return "invalid parameter"
	case codeLongURL:
		return "invalid url size"
	case codeBadRequest:
		return "invalid Request Parameter"
	case codeBadTemplate, codeForeignTemplate:
		return "invalid template_id"
	case codeBadAgent:
		return "invalid agentid"
	case codeEmpty:
		return "some parameters are empty"
	case codeLongText:
		return "content size out of limit"
	case codeForeignAgent:
		return "no privilege to access/modify contact/party/agent"
	case codeForeignSecret:
		return "secret is invalid"
	case codeNotHTTP:
		return "invalid url, should start with http"
	case codeNoToken:
		return "access_token missing"
	case codeNoCorp:
		return "corpid missing"
	case codeNoSecret:
		return "corpsecret missing"
	case codeNoMediaID:
		return "media_id missing"
	case codeExpiredToken:
		return "access_token expired"
	case codeNeedsGet:
		return "require GET method"
	case codeNeedsPost:
		return "require POST method"
	case codeSize:
		return "media size out of limit"
	case codeTooMany:
		return "api freq out of limit"
	case codeTooManyAtOnce:
		return "api concurrent out of limit"
	case codeNoPermission:
		return "api forbidden"
	case codeUntrustedIP:
		return "not allow to access from your ip"
	case 60136:
		return "record not found"
	case codeBadRobot:
		return "invalid webhook url"
	case codeMD5Mismatch:
		return "invalid file md5"
	case codeNoRange:
		return "invalid url"
	case codeRangeTooLarge:
		return "file or range too large"
	case codeDownloadFailed:
		return "download from url error"
	}
	return "error"
}
