package inspect

import "fmt"

// A Warning is something that somebody may want to know; the file goes.
type Warning struct {
	Code   string // "codec", "size-grey", "name-changed", ...
	ZH, EN string
}

func warnCodec(c codec) Warning {
	zh, en := "", ""
	if c.bits > 8 {
		zh, en = fmt.Sprintf("，%d 位", c.bits), fmt.Sprintf(", %d-bit", c.bits)
	}
	return Warning{
		Code: "codec",
		ZH:   fmt.Sprintf("画面编码是 %s%s，部分手机或电脑可能只有声音、没有画面；导出时选 H.264 最稳妥", c.words(), zh),
		EN:   fmt.Sprintf("the picture is encoded as %s%s; some phones and PCs may stay black; H.264 is the safe choice when exporting", c.words(), en),
	}
}

func warnBits(c codec) Warning {
	return Warning{
		Code: "10bit",
		ZH:   fmt.Sprintf("画面编码是 %d 位的 H.264，部分手机可能播放不了；导出时选 8 位最稳妥", c.bits),
		EN:   fmt.Sprintf("the picture is %d-bit H.264, which some phones cannot play; 8-bit is the safe choice when exporting", c.bits),
	}
}

// warnLayout is for an MP4 put together in an unusual way.
func warnLayout(code string) Warning {
	zh, en := "", ""
	switch code {
	case "fragmented":
		zh, en = "这是分段（流媒体式）的 MP4", "this MP4 is fragmented, as for streaming"
	case "brand":
		zh, en = "MP4 文件头里的品牌标识不常见", "the brand in this MP4's header is an unusual one"
	case "ftyp-not-first":
		zh, en = "MP4 文件头不在最前面", "this MP4's header does not come first"
	case "trailing":
		zh, en = "MP4 末尾有多余的数据", "this MP4 has extra bytes at its end"
	}
	return Warning{
		Code: code,
		ZH:   zh + "；多数播放器能播，企业微信是否接受尚未验证",
		EN:   en + "; most players play it, whether WeCom takes it is not known",
	}
}

func warnZeroTail() Warning {
	return Warning{
		Code: "zero-tail",
		ZH:   "视频末尾是一片空白（全是 0），可能没有下载或同步完，请从头到尾播放一遍确认",
		EN:   "the end of the video is blank (all zeroes): the download or sync may not have finished; play it to the end to make sure",
	}
}

func warnGrey(size int64) Warning {
	return Warning{
		Code: "size-grey",
		ZH:   fmt.Sprintf("文件 %s 字节，在 200,000,000 字节与 200 MiB 之间；企业微信的“200M”指哪一个尚不清楚，有可能拒收", digits(size)),
		EN:   fmt.Sprintf("%s bytes lie between 200,000,000 bytes and 200 MiB; which of them WeCom's \"200M\" means is not known, so it may refuse the file", digits(size)),
	}
}

func warnName(shown string) Warning {
	return Warning{
		Code: "name-changed",
		ZH:   fmt.Sprintf("客户看到的文件名将是“%s”（原名超过 128 字节、含特殊字符，或扩展名与内容不符）", shown),
		EN:   fmt.Sprintf("customers will see the name %q (the original is over 128 bytes, has special characters, or its extension does not fit the content)", shown),
	}
}

// digits groups a number by thousands: 209,715,200.
func digits(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
