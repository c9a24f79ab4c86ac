package wecom_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/wecom"
)

// From xen0n/go-workwx (errcodes/mod.go): 1,251 codes with Tencent's remedies
// as comments. No program can print a comment.
func TestEveryCodeHasClassMeaningAndRemedy(t *testing.T) {
	t.Parallel()
	apis := []string{"gettoken", "media/upload_by_url", "media/get_upload_by_url_result"}
	for _, code := range wecom.Codes() {
		for _, api := range apis {
			for _, job := range []bool{false, true} {
				e := &wecom.Error{API: api, Code: code, Job: job}
				presentable(t, e)
				require.NotEqual(t, wecom.ClassCancelled, e.Class(), "%d", code)
				if call := (&wecom.Error{API: api, Code: code}).Class(); call != wecom.ClassToken {
					require.Equal(t, call, e.Class(), "%d", code)
					require.NotEqual(t, wecom.ClassUnknown, e.Class(), "%d", code)
				}
			}
		}
		again := &wecom.Error{API: apis[1], Code: code, Repeated: true}
		presentable(t, again)
		require.NotEqual(t, wecom.ClassToken, again.Class(), "%d: a token that is refused twice needs a person", code)
	}
}

// The codes of the reference's table, by what can be done about them.
func TestClasses(t *testing.T) {
	t.Parallel()
	for class, codes := range map[wecom.Class][]wecom.Code{
		wecom.ClassRetry: {-1, 6000, 41096},
		wecom.ClassConfig: {40001, 40013, 40091, 41002, 41004, 41001, 60020, 48002, 48001, 48004, 48006, 48005,
			50003, 84074, 301002, 301007, 43009, 43012, 40056},
		wecom.ClassToken:   {40014, 42001, 42009},
		wecom.ClassBackOff: {45009, 45033},
		wecom.ClassInput: {40004, 40005, 40006, 40011, 45001, 44001, 40039, 40094, 45034, 40035, 40058, 40063,
			40007, 41006, 40036, 40037, 45002, 40089, 60136, 830002,
			41051, 41072, 41080, 41081},
		wecom.ClassSource: {830001, 830003, 301019},
	} {
		for _, code := range codes {
			require.Contains(t, wecom.Codes(), code)
			require.Equal(t, class, (&wecom.Error{API: "x", Code: code}).Class(), "%d", code)
		}
	}
	require.Equal(t, wecom.ClassInput, (&wecom.Error{Code: 45001, Job: true}).Class())
	require.Equal(t, wecom.ClassUnknown, (&wecom.Error{Code: 1}).Class())
}

// From the global table, 45009 item 5: at gettoken it means that the IP is
// banned for somebody's wrong secret; the page to lift it is named.
func TestRateLimitAtGettokenIsABan(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"zh", "en"} {
		_, cure := (&wecom.Error{API: "gettoken", Code: 45009}).Explain(lang)
		require.Contains(t, cure, wecom.UnblockPage)
		require.Contains(t, cure, "secret")
		_, cure = (&wecom.Error{API: "media/upload_by_url", Code: 45009}).Explain(lang)
		require.NotContains(t, cure, wecom.UnblockPage)
	}
}

// Every way to make an Error by hand is fit to be shown too: the pipeline
// and its tests make them.
func TestBareErrorsArePresentable(t *testing.T) {
	t.Parallel()
	for _, kind := range []wecom.Kind{wecom.KindAnswer, wecom.KindUnreachable, wecom.KindBadResponse, wecom.KindInput, wecom.KindConfig} {
		presentable(t, &wecom.Error{Kind: kind})
		presentable(t, &wecom.Error{API: "media/upload_by_url", Kind: kind, Field: "x", Job: true})
	}
}

// Words of the cure without which nobody finds the way.
func TestCuresNameTheWay(t *testing.T) {
	t.Parallel()
	for code, words := range map[wecom.Code][]string{
		40007: {"upload_by_url", "media/upload", "media/upload_attachment"},
		48002: {"可调用应用", "2023-12-01"},
		41051: {},
		41072: {"upload_attachment"},
		41080: {"10 MB"},
		41081: {"10800"},
		41096: {"20"},
	} {
		for _, lang := range []string{"zh", "en"} {
			what, cure := (&wecom.Error{API: "x", Code: code}).Explain(lang)
			require.NotContains(t, what, "not known here", "%d", code)
			require.NotContains(t, what, "不认识", "%d", code)
			for _, w := range words {
				require.Contains(t, cure, w, "%d", code)
			}
		}
	}
}

func TestFromUploadByURL(t *testing.T) {
	t.Parallel()
	require.True(t, wecom.FromUploadByURL("3*1*G76Tdk"))
	require.False(t, wecom.FromUploadByURL("3G76Tdk_vr1w"))
	require.False(t, wecom.FromUploadByURL(""))
}
