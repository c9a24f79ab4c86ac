package main

import "fmt"

// serveMessages is what the daemon says: to browsers, to the group and in its
// log.
type serveMessages struct {
	About         about
	FlagPrintUnit string

	NoCallback string

	Batch                        func(done, reused, failed, expiring int) string
	Expires                      func(name, at string) string
	More                         func(n int) string
	Stopped, ExpiresRemedy       string
	RobotRemedy, StoppedLate     string
	JournalRemedy, WatcherRemedy string
	Serving                      func(address string, folders int) string
	NotRead                      string
}

func newServeMessages(say func(zh, en string) string) serveMessages {
	return serveMessages{
		About: about{
			Short: say("守护进程：盯着文件夹，自动发送和续期", "the daemon: watches folders, sends and renews"),
			Long: say(`守护进程。盯着配置里的 folders：放进来的文件写完后自动发送，结果写进文件夹里的
wedrop-media.csv；没做完的接着做，media_id 到期前自动续期；企业微信的回调在 /callback。
页面在 http://127.0.0.1:8765（拖文件进去就会发送），接口说明在 /openapi.json，另有 /healthz、
/readyz 和 /metrics；默认只有本机能访问，要让其他机器访问，先设 page_token。
改了配置发 SIGHUP（systemctl reload wedrop），SIGTERM 会在 10 秒内停下，没传完的下次接着传。
同一个账本只能有一个守护进程；push 和 sync 可以同时用。`,
				`The daemon. It watches the folders of the configuration: what is put there goes
as soon as it is written, and the results are in wedrop-media.csv in the folder.
It carries on unfinished work, renews media_ids before they expire and takes
WeCom's callbacks at /callback. Its page is at http://127.0.0.1:8765: files that
are dropped there go, too. The API is described at /openapi.json, and there are
/healthz, /readyz and /metrics. By default this machine alone is answered; other
machines need a page_token. SIGHUP (systemctl reload wedrop) reads the
configuration again, SIGTERM stops within 10 seconds, and uploads under way go
on another time. A journal has one daemon; push and sync may run beside it.`),
			Example: say(`  wedrop serve
  wedrop serve --config /etc/wedrop/wedrop.yaml
  wedrop serve --print-unit | sudo tee /etc/systemd/system/wedrop.service`,
				`  wedrop serve
  wedrop serve --config /etc/wedrop/wedrop.yaml
  wedrop serve --print-unit | sudo tee /etc/systemd/system/wedrop.service`),
		},
		FlagPrintUnit: say("打印 systemd 服务文件后结束", "print a systemd unit and end"),

		NoCallback: say("还没有设置回调：把应用「接收消息」页的 Token 和 EncodingAESKey 写进配置 callback.token 和 callback.aes_key，再重新加载；不设也能用，结果靠查询", "callbacks are not set up: write the Token and the EncodingAESKey of the app's page for receiving messages into callback.token and callback.aes_key, then reload; without them results are asked for"),

		Batch: func(done, reused, failed, expiring int) string {
			s := say(fmt.Sprintf("素材批次完成：成功 %d", done), fmt.Sprintf("wedrop: batch ended: %d done", done))
			if reused > 0 {
				s += say(fmt.Sprintf("（复用 %d）", reused), fmt.Sprintf(" (%d reused)", reused))
			}
			s += say(fmt.Sprintf(" 失败 %d", failed), fmt.Sprintf(", %d failed", failed))
			if expiring > 0 {
				s += say(fmt.Sprintf(" · 即将过期 %d", expiring), fmt.Sprintf(", %d about to expire", expiring))
			}
			return s
		},
		Expires: func(name, at string) string { return say(name+" 到 "+at+" 过期", name+" expires at "+at) },
		More: func(n int) string {
			return say(fmt.Sprintf("……还有 %d 条，用 wedrop list 查看", n), fmt.Sprintf("... and %d more: wedrop list", n))
		},
		Stopped:       say("素材发送停下了，需要处理：", "wedrop has stopped sending and needs somebody:"),
		ExpiresRemedy: say("这些不会自动续期：还要用就把文件放回文件夹，或用 wedrop push 再发一次；配置 renew: all 会全部续期", "these are not renewed: if they are still needed, put the files back into the folder or wedrop push them again; renew: all keeps all of them alive"),
		RobotRemedy:   say("检查 notify.webhook 的地址和网络；文件照常发送", "check the address in notify.webhook and the network; files go all the same"),
		StoppedLate:   say("有的工作没能在 10 秒内停下，下次启动会接着做", "some work did not stop within 10 seconds; the next start carries on with it"),
		JournalRemedy: say("检查账本所在磁盘的空间和权限", "check the space and the permissions of the disk with the journal"),
		WatcherRemedy: say("看日志里的原因", "see the log for the reason"),
		Serving: func(address string, folders int) string {
			return say(fmt.Sprintf("正在运行：%s，%d 个文件夹", address, folders), fmt.Sprintf("at %s, watching %s", address, plural(folders, "folder")))
		},
		NotRead: say("文件夹还没有读完第一遍", "the folders have not been read yet"),
	}
}
