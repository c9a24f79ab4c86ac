package main

import (
	"fmt"
	"strings"
	"time"
)

// doctorMessages is what wedrop doctor says. What a bucket, WeCom or a folder
// answered is told in the words of its own package.
type doctorMessages struct {
	About about

	Name            func(check string) string
	Needs           func(check string) string
	Good            func(unproven int) string
	Bad             func(n int, first, remedy string) string
	NoAnswer        func(after time.Duration) string
	NoAnswerRemedy  string
	FirstPushRemedy string

	// Configuration and secrets.
	NoFile, Defaults                 string
	File                             func(path string) string
	FromFile                         func(path, keys string) string
	FromEnv                          func(variables string) string
	Missing                          func(keys string) string
	SecretsThere                     func(secrets string) string
	SecretOfWeCom, SecretOfCallback  string
	SecretOfPage, SecretOfBucket     string
	SecretMissing                    string
	FileIsOpen                       func(path string) string
	FileIsOpenRemedy                 func(path string) string
	ClockWeCom, ClockBucket          string
	ClockOf                          func(who string, off time.Duration) string
	ClockUnknown                     func(who string) string
	ClockSlow, ClockWrong, ClockNone string

	// Folders, journal, disk.
	NoFolders                       string
	FoldersGood                     func(n int, paths string) string
	FolderUnwritable                func(path, why string) string
	FolderUnwritableRemedy          string
	FolderHangs                     func(path string) string
	FolderHangsRemedy               string
	FolderUnmounted                 func(path, mount string) string
	FolderUnmountedRemedy           func(mount string) string
	JournalGood                     func(path string) string
	JournalLocked                   func(path string) string
	JournalLockedRemedy             string
	JournalUnwritable               func(path, why string) string
	JournalUnwritableRemedy         string
	JournalNotOurs                  func(path string) string
	JournalForeign, JournalClosed   func(path string) string
	JournalForeignRemedy            string
	JournalNotOursRemedy            string
	Space                           func(path, free string) string
	SpaceUnknown                    string
	SpaceLow, SpaceNone, SpaceWhere string

	// WeCom.
	TokenKept, TokenFetched   string
	Proven                    func(at string) string
	IPUnproven, RightUnproven func(answer string) string
	Answer                    func(code int) string
	WeComPasses               func(what string) string

	// Bucket.
	WriteGood                       func(bucket string) string
	ReadGood                        func(url string) string
	ReadCached, ReadCachedRemedy    string
	ReadOther                       func(url, detail string) string
	ReadOtherRemedy                 string
	ReadLost                        func(url, detail string) string
	ReadLostRemedy, WriteLostRemedy string
	RangeGood                       string
	ListingClosed, ListingUnknown   string
	ListingOpen                     string
	ListingOpenRemedy               func(bucket string) string
	LinkGood                        func(n int) string
	CleanGood                       string
	CleanLeft                       func(key string) string

	// Callback, daemon, page, language.
	CallbackNone                           string
	CallbackIdle, CallbackIdleRemedy       string
	CallbackGood, CallbackSlow             func(url string) string
	CallbackProve                          string
	CallbackSlowRemedy                     string
	CallbackRefused, CallbackOff           func(url string) string
	CallbackReload                         string
	CallbackLost                           func(url, why string) string
	CallbackLostRemedy                     string
	DaemonNone                             string
	DaemonElsewhere, DaemonElsewhereRemedy string
	DaemonRuns                             func(pid, address string) string
	DaemonHangs                            func(pid, address string) string
	DaemonHangsRemedy                      string
	DaemonUnknown                          func(why string) string
	PortTaken                              func(address string) string
	PortTakenRemedy                        string
	OtherJournal                           func(address, ours string) string
	OtherJournalRemedy                     string
	PageLocal, PageGood, PageWeak          string
	PageWeakRemedy                         string
	Language                               func(lang, from string) string
	LanguageFlag, LanguageLocale           string
}

func newDoctorMessages(say func(zh, en string) string) doctorMessages {
	m := doctorMessages{About: doctorAbout(say)}
	m.Name = func(check string) string {
		if t, ok := doctorNames()[check]; ok {
			return say(t.ZH, t.EN)
		}
		return say("检查 "+check, check)
	}
	m.Needs = func(check string) string {
		return say("没有检查：要先解决「"+m.Name(check)+"」", "not checked: needs "+m.Name(check))
	}
	m.Good = func(unproven int) string {
		s := say("没有发现要处理的问题。", "nothing was found that has to be mended.")
		if unproven > 0 {
			s += say(fmt.Sprintf("有 %d 项从这里证明不了，真正发送一次才知道：wedrop push 一个小文件", unproven),
				fmt.Sprintf(" %s not provable from here; sending shows: wedrop push a small file", plural(unproven, "thing")))
		}
		return s
	}
	m.Bad = func(n int, first, remedy string) string {
		return say(fmt.Sprintf("有 %d 项要处理。先做这一件（%s）：%s", n, first, remedy),
			fmt.Sprintf("%s to mend. The first one (%s): %s", plural(n, "thing"), first, remedy))
	}
	m.NoAnswer = func(after time.Duration) string {
		return say(fmt.Sprintf("等了 %s 没有应答", after), fmt.Sprintf("no answer within %s", after))
	}
	m.NoAnswerRemedy = say("检查网络、防火墙和代理，再运行一次 wedrop doctor", "check the network, the firewall and the proxy, then run wedrop doctor again")
	m.FirstPushRemedy = say("用 wedrop push 发送一个小文件就能确认", "wedrop push of a small file will show")
	m.setUp(say)
	m.local(say)
	m.wecom(say)
	m.bucket(say)
	m.running(say)
	return m
}

func doctorAbout(say func(zh, en string) string) about {
	return about{
		Short: say("逐项检查配置、凭证、权限、存储桶和回调", "check configuration, secrets, rights, bucket and callback"),
		Long: say(`逐项检查能不能发送文件，每项一行；有问题的写明怎么办，并告诉你先做哪一件。
随时可以运行：不通知任何成员，secret 不对也只试一次（账本记得被拒绝过的），有可用的
调用凭证就不取新的，往存储桶里放的一个一百来字节的文件随即删除。
✓ 通过  ! 能用但要留意  ✗ 要处理  – 没有检查，或从这里证明不了
有 ✗ 时退出码是 3，否则是 0。`,
			`Checks whether files can be sent, a line for each check; what fails comes with
its cure, and you are told what to do first. It may be run at any time: no member
is notified, a wrong secret is tried once (the ledger remembers a refusal), no new
token is fetched where a good one is there, and the object of about a
hundred bytes that it puts into the bucket is removed at once.
✓ passed   ! works, but look at it   ✗ has to be mended
– not checked, or not provable from here
The exit code is 3 where there is a ✗, else 0.`),
		Example: say("  wedrop doctor\n  wedrop doctor --config /etc/wedrop/wedrop.yaml\n  wedrop doctor --json   # 每项一行 JSON",
			"  wedrop doctor\n  wedrop doctor --config /etc/wedrop/wedrop.yaml\n  wedrop doctor --json   # a line of JSON for each check"),
	}
}

// doctorNames are the checks as people read them.
func doctorNames() map[string]text {
	return map[string]text{
		"configuration":  {"配置", "configuration"},
		"secrets":        {"密钥", "secrets"},
		"clock":          {"时间", "clock"},
		"folders":        {"文件夹", "folders"},
		"journal":        {"账本", "journal"},
		"disk-space":     {"磁盘空间", "disk space"},
		"token":          {"调用凭证", "WeCom token"},
		"trusted-ip":     {"可信 IP 名单", "trusted IP"},
		"api-permission": {"接口权限", "API permission"},
		"bucket-write":   {"写入存储桶", "bucket write"},
		"public-read":    {"公开读取", "public read"},
		"range":          {"分段下载", "Range"},
		"public-listing": {"匿名列出", "public listing"},
		"link-length":    {"链接长度", "link length"},
		"bucket-clean":   {"清理存储桶", "bucket clean-up"},
		"callback":       {"回调", "callback"},
		"daemon":         {"守护进程", "daemon"},
		"page-token":     {"页面口令", "page token"},
		"language":       {"语言", "language"},
	}
}

func (m *doctorMessages) setUp(say func(zh, en string) string) {
	m.NoFile = say("没有配置文件", "no configuration file")
	m.Defaults = say("其余用默认值", "defaults for the rest")
	m.File = func(path string) string { return say("配置文件 "+path, "the file "+path) }
	m.FromFile = func(path, keys string) string {
		return say("配置文件 "+path+" 里有 "+keys, keys+" from "+path)
	}
	m.FromEnv = func(variables string) string { return say("环境变量 "+variables, "in the environment "+variables) }
	m.Missing = func(keys string) string { return say("还没有设置 "+keys, keys+" not set") }
	m.SecretsThere = func(secrets string) string { return say("都有了："+secrets, "there: "+secrets) }
	m.SecretOfWeCom = say("应用的 secret", "the app's secret")
	m.SecretOfCallback = say("回调的 Token 和密钥", "the callback's token and key")
	m.SecretOfPage = say("页面口令", "the page token")
	m.SecretOfBucket = say("存储桶的密钥", "the bucket's credentials")
	m.SecretMissing = say("没有设置 wecom.secret", "wecom.secret is not set")
	m.FileIsOpen = func(path string) string {
		return say(path+" 里有密钥，这台机器上的任何人都能读它", path+" holds secrets, and everybody on this machine may read it")
	}
	m.FileIsOpenRemedy = func(path string) string {
		return say("运行 chmod 640 "+path+"，并让它属于运行 wedrop 的用户组", "run chmod 640 "+path+", and let it belong to the group of the user who runs wedrop")
	}
	m.ClockWeCom, m.ClockBucket = say("企业微信", "WeCom"), say("存储桶", "the bucket")
	m.ClockOf = func(who string, off time.Duration) string {
		switch off = off.Round(time.Second); {
		case off.Abs() <= 2*time.Second:
			return say("和"+who+"的时间一致", "agrees with that of "+who)
		case off > 0:
			return say(fmt.Sprintf("本机比%s慢 %s", who, chineseClock(off)), fmt.Sprintf("%s behind %s", off, who))
		}
		return say(fmt.Sprintf("本机比%s快 %s", who, chineseClock(-off)), fmt.Sprintf("%s ahead of %s", -off, who))
	}
	m.ClockUnknown = func(who string) string { return say("问不到"+who+"的时间", "no answer from "+who) }
	m.ClockNone = say("检查网络和代理；下面的检查会说明是哪一边连不上", "check the network and the proxy; the checks below say which side cannot be reached")
	m.ClockSlow = say("打开自动对时（例如 timedatectl set-ntp true）；差到 5 分钟以上，存储桶会拒绝上传", "turn on automatic time (timedatectl set-ntp true, for example); beyond 5 minutes buckets refuse uploads")
	m.ClockWrong = say("校准本机时间：打开自动对时（例如 timedatectl set-ntp true）；相差 5 分钟以上，存储桶的签名和回调都会被拒绝", "set this machine's clock: turn on automatic time (timedatectl set-ntp true, for example); beyond 5 minutes a bucket's signatures and callbacks are refused")
}

func (m *doctorMessages) local(say func(zh, en string) string) {
	m.NoFolders = say("没有配置 folders：只用 wedrop push，或在 wedrop sync 后面写文件夹", "no folders are configured: wedrop push, or wedrop sync with a folder")
	m.FoldersGood = func(n int, paths string) string {
		return say(fmt.Sprintf("%d 个，可以读取，可以写入结果表：%s", n, paths), fmt.Sprintf("%s readable, and writable for results: %s", plural(n, "folder"), paths))
	}
	m.FolderUnwritable = func(path, why string) string {
		return say("文件夹 "+path+" 不能写入，结果表放不进去："+why, "the folder "+path+" cannot be written to, so no results can be left there: "+why)
	}
	m.FolderUnwritableRemedy = say("给运行 wedrop 的用户写入这个文件夹的权限，并确认它没有挂载成只读", "let the user who runs wedrop write to the folder, and see that it is not mounted read-only")
	m.FolderHangs = func(path string) string {
		return say("文件夹 "+path+" 没有反应（网络盘多半断开了）", "the folder "+path+" does not answer: its network drive is probably gone")
	}
	m.FolderHangsRemedy = say("检查网络盘的连接，必要时重新挂载", "check the network drive, and mount it again if need be")
	m.FolderUnmounted = func(path, mount string) string {
		return say("文件夹 "+path+" 所在的 "+mount+" 没有挂载，现在看到的是空的挂载点", mount+", where the folder "+path+" is, is not mounted: what is there now is the empty mount point")
	}
	m.FolderUnmountedRemedy = func(mount string) string {
		return say("运行 mount "+mount+"，或检查网络盘；之前的素材不受影响", "run mount "+mount+", or check the network drive; earlier media are not affected")
	}
	m.JournalGood = func(path string) string {
		return say("账本 "+path+" 可以打开和写入", "the journal "+path+" opens and takes changes")
	}
	m.JournalLocked = func(path string) string {
		return say("账本 "+path+" 被另一个程序一直占着", "another program keeps the journal "+path+" locked")
	}
	m.JournalLockedRemedy = say("找出占用它的程序（例如 fuser 加上账本路径）：多半是备份、数据库工具或卡住的 wedrop；关掉它再试", "find the program (fuser with the journal's path, for example): a backup, a database tool or a wedrop that hangs; end it and try again")
	m.JournalUnwritable = func(path, why string) string {
		return say("账本 "+path+" 不能写入："+why, "the journal "+path+" takes no changes: "+why)
	}
	m.JournalUnwritableRemedy = say("检查账本文件的权限和磁盘空间；用 journal 或 WEDROP_JOURNAL 可换位置", "check the file's rights and the disk's space; journal or WEDROP_JOURNAL names another place")
	m.JournalForeign = func(path string) string {
		return say(path+" 不是 wedrop 的账本，是别的文件", path+" is no journal of wedrop's but another file")
	}
	m.JournalForeignRemedy = say("用 journal 或 WEDROP_JOURNAL 换一个位置；这个文件没有被改动", "name another place in journal or WEDROP_JOURNAL; the file was left as it is")
	m.JournalClosed = func(path string) string {
		return say("没有权限打开账本 "+path, "no permission to open the journal "+path)
	}
	m.JournalNotOurs = func(path string) string {
		return say("账本 "+path+" 可以写入，但它属于另一个用户，现在是用 root 检查的", "the journal "+path+" takes changes, but it is another user's and this is root")
	}
	m.JournalNotOursRemedy = say("用平时运行 wedrop 的用户检查，权限问题才看得出来：sudo -u 用户名 wedrop doctor", "run it as the user who runs wedrop, else missing rights are not seen: sudo -u USER wedrop doctor")
	m.Space = func(path, free string) string {
		return say(path+" 还有 "+free, free+" free at "+path)
	}
	m.SpaceUnknown = say("这个系统上查不到剩余空间", "how much is free cannot be told on this system")
	m.SpaceLow = say("清理一些空间：一个视频可达 200 MB，建议留出 1 GB 以上", "make room: a video may have 200 MB, leave at least 1 GB")
	m.SpaceNone = say("马上清理空间，或用 journal 把账本换到别的磁盘：账本写不进去就什么都发不了", "make room now, or put the journal on another disk: without a journal nothing can be sent")
	m.SpaceWhere = say("账本不在文件里，没有要看的磁盘", "the journal is no file: there is no disk to look at")
}

func (m *doctorMessages) wecom(say func(zh, en string) string) {
	m.TokenKept = say("账本里的调用凭证还有效，没有取新的", "the ledger's token was used, no new one was fetched")
	m.TokenFetched = say("企业 ID 和 secret 正确，取到了调用凭证（已存入账本，大家共用）", "corp id and secret are right: a token was fetched, and is in the ledger for all")
	m.Answer = func(code int) string { return say(fmt.Sprintf("错误码 %d", code), fmt.Sprintf("errcode %d", code)) }
	m.Proven = func(at string) string {
		return say("没有被拒绝；"+at+" 还成功拿到过 media_id", "not refused; a media_id came at "+at)
	}
	m.IPUnproven = func(answer string) string {
		return say("没有被拒绝（查询一个不存在的任务，应答 "+answer+"，不是 60020）；但企业微信是否先检查 IP 没有文档，从这里证明不了",
			"not refused: asked about a job that does not exist WeCom answered "+answer+", not 60020. Whether it looks at the IP before is not documented: not provable from here")
	}
	m.RightUnproven = func(answer string) string {
		return say("没有被拒绝（查询一个不存在的任务，应答 "+answer+"，不是 48002）；但企业微信是否先检查权限没有文档，从这里证明不了",
			"not refused: asked about a job that does not exist WeCom answered "+answer+", not 48002. Whether it looks at the permission before is not documented: not provable from here")
	}
	m.WeComPasses = func(what string) string {
		return say("现在证明不了："+what, "not provable now: "+what)
	}
}

func (m *doctorMessages) bucket(say func(zh, en string) string) {
	m.WriteGood = func(bucket string) string {
		return say(bucket+" 收下了一个小文件，并核对了它的 MD5", bucket+" took a tiny object and checked its MD5")
	}
	m.ReadGood = func(url string) string {
		return say("不带密码可以打开："+url, "can be read by everybody: "+url)
	}
	m.ReadCached = say("公开链接给出的是以前的副本：前面有 CDN 缓存，存储桶今天是否公开从这里证明不了", "the public link gives an old copy: a cache (CDN) is before the bucket, and whether the bucket itself is public today is not provable from here")
	m.ReadCachedRemedy = say("一般不用处理：每个文件的链接都不同；若发送时报 storage/not-public，请检查存储桶的公开读取权限", "as a rule nothing to do, for each file has a link of its own; if a file stops with storage/not-public, see that everybody may read the bucket")
	m.ReadOther = func(url, detail string) string {
		return say("公开链接给出的不是刚才上传的文件（"+detail+"）："+url, "the public link gives something else than was uploaded ("+detail+"): "+url)
	}
	m.ReadOtherRemedy = say("把 storage.public_url 改成存储桶（或文件夹）真正对外的网址；若那里是网站或登录页，请换一个专用域名", "set storage.public_url to the address at which the bucket (or folder) itself is published; where that is a site or a sign-in page, use a domain of its own")
	m.ReadLost = func(url, detail string) string {
		zh := detail
		switch detail {
		case "no answer":
			zh = "连接不上"
		case "no answer in time":
			zh = "超时"
		case "the host's name does not resolve":
			zh = "找不到这个域名"
		}
		return say("公开链接没有应答（"+zh+"）："+url, "the public link does not answer ("+detail+"): "+url)
	}
	m.ReadLostRemedy = say("检查 storage.public_url 的域名和端口有没有写错、网页服务器或 CDN 是否在运行；企业微信要能从公网打开它", "check the host in storage.public_url, and that the web server or CDN runs; WeCom has to reach it from outside")
	m.WriteLostRemedy = say("检查 storage.url 里的地域（region）和地址（endpoint），以及网络、防火墙和代理，再运行一次 wedrop doctor", "check region and endpoint in storage.url, the network, the firewall and the proxy, then run wedrop doctor again")
	m.RangeGood = say("支持：应答 206，Content-Range 和内容都对", "served: 206, with the right Content-Range and the right bytes")
	m.ListingClosed = say("陌生人列不出里面有哪些文件", "strangers cannot list the files")
	m.ListingUnknown = say("不知道陌生人能不能列出里面的文件", "whether strangers can list the files is not known")
	m.ListingOpen = say("任何人都能列出存储桶里有哪些文件", "everybody can list the files of the bucket")
	m.ListingOpenRemedy = func(bucket string) string {
		switch scheme, _, _ := strings.Cut(bucket, "://"); scheme {
		case "cos":
			return say("把存储桶访问权限改回「私有读写」，再用 Policy 只放开这个前缀的读取（GetObject）", "set the bucket back to private and let a policy open the prefix for reading (GetObject) alone")
		case "s3":
			return say("去掉存储桶 ACL 里的公开读取，改用只允许 s3:GetObject 的存储桶策略", "take public read out of the bucket's own ACL, and use a bucket policy that allows s3:GetObject alone")
		}
		return say("在网页服务器上关掉目录列表（Nginx：autoindex off）", "turn off directory listings at the web server (nginx: autoindex off)")
	}
	m.LinkGood = func(n int) string {
		return say(fmt.Sprintf("最长 %d 字节，企业微信接受 1024 字节以内", n), fmt.Sprintf("at most %d bytes; WeCom takes 1024", n))
	}
	m.CleanGood = say("刚才的小文件已删除，什么都没留下", "the tiny object is removed, nothing is left")
	m.CleanLeft = func(key string) string {
		return say("刚才的小文件删不掉，还留在存储桶里："+key, "the tiny object cannot be removed, and is still there: "+key)
	}
}

func (m *doctorMessages) running(say func(zh, en string) string) {
	m.CallbackNone = say("没有设置，不影响使用：结果靠查询得到", "not set up, and not needed: results are asked for")
	m.CallbackIdle = say("设置了回调，但没有守护进程在接收", "callbacks are set up, but no daemon takes them")
	m.CallbackIdleRemedy = say("启动 wedrop serve；只用定时任务的话，可以去掉 callback 的设置", "start wedrop serve; with cron alone, callback may be left out of the configuration")
	m.CallbackGood = func(url string) string {
		return say(url+" 能解开企业微信的 URL 验证；企业微信能不能从公网访问到它，从这里证明不了", url+" passes WeCom's check of the URL; whether WeCom reaches it from outside is not provable from here")
	}
	m.CallbackProve = say("在管理后台应用的「接收消息」页点保存，企业微信会当场验证公网地址", "press save on the app's page for receiving messages in the admin console: WeCom checks the public address there and then")
	m.CallbackSlow = func(url string) string {
		return say(url+" 能解开 URL 验证，但用时超过 1 秒，企业微信会判为失败", url+" passes the check of the URL, but takes longer than the second that WeCom waits")
	}
	m.CallbackSlowRemedy = say("看看这台机器是不是太忙", "see whether this machine is too busy")
	m.CallbackRefused = func(url string) string {
		return say(url+" 不接受用这份配置签名的请求：守护进程用的 Token、密钥或企业 ID 和这里不同", url+" refuses what is signed with this configuration: the daemon has another token, key or corp id")
	}
	m.CallbackOff = func(url string) string {
		return say(url+" 不接收回调：守护进程启动时还没有这项设置", url+" takes no callbacks: the daemon was started without them")
	}
	m.CallbackReload = say("确认两边用的是同一份配置和环境变量，然后让守护进程重新加载（systemctl reload wedrop）或重启；再核对管理后台「接收消息」页的 Token 和 EncodingAESKey", "see that both use the same configuration and environment, then reload (systemctl reload wedrop) or restart the daemon; compare with Token and EncodingAESKey on the app's page for receiving messages")
	m.CallbackLost = func(url, why string) string {
		return say(url+" 没有正确应答："+why, url+" gives no good answer: "+why)
	}
	m.CallbackLostRemedy = say("重启守护进程（systemctl restart wedrop），再看它的日志", "restart the daemon (systemctl restart wedrop) and look at its log")
	m.DaemonNone = say("没有守护进程在用这个账本；只用 push、sync 或定时任务时不需要", "no daemon works with this journal; push, sync and cron need none")
	m.DaemonElsewhere = say("账本是几台机器共用的，守护进程可能在其中任何一台上，从这里证明不了", "the journal is shared by machines, and a daemon may be on any of them: not provable from here")
	m.DaemonElsewhereRemedy = say("在运行守护进程的机器上打开 /readyz 看它的状态", "look at /readyz on the machine where the daemon runs")
	m.DaemonRuns = func(pid, address string) string {
		return say("正在运行（进程号 "+pid+"），地址 "+address, "runs (process "+pid+") at "+address)
	}
	m.DaemonHangs = func(pid, address string) string {
		return say("进程 "+pid+" 占着账本，但 "+address+" 没有应答", "process "+pid+" has the journal, but nobody answers at "+address)
	}
	m.DaemonHangsRemedy = say("重启它（systemctl restart wedrop），再看日志", "restart it (systemctl restart wedrop) and look at its log")
	m.DaemonUnknown = func(why string) string {
		return say("不知道有没有守护进程："+why, "whether there is a daemon is not known: "+why)
	}
	m.PortTaken = func(address string) string {
		return say("没有守护进程在用这个账本，而 "+address+" 已被别的程序占用，wedrop serve 会启动不了", "no daemon works with this journal, and another program has "+address+": wedrop serve could not start")
	}
	m.PortTakenRemedy = say("换一个端口（listen 或 WEDROP_LISTEN），或停掉那个程序", "use another port (listen or WEDROP_LISTEN), or stop that program")
	m.OtherJournal = func(address, ours string) string {
		return say(address+" 上是另一个账本的 wedrop，而这里用的账本是 "+ours+"：它发过的文件这里不知道，会再发一次", "a wedrop with another journal answers at "+address+"; the one used here is "+ours+": what that one sent is not known here and would be sent again")
	}
	m.OtherJournalRemedy = say("让两边用同一个账本：systemd 服务的账本是 /var/lib/wedrop/wedrop.db（用 sudo 并设 WEDROP_JOURNAL=/var/lib/wedrop/wedrop.db），或在 wedrop.yaml 里写明 journal",
		"let both use one: that of the systemd service is /var/lib/wedrop/wedrop.db (sudo, with WEDROP_JOURNAL=/var/lib/wedrop/wedrop.db), or name the journal in wedrop.yaml")
	m.PageLocal = say("页面只给本机用，不需要口令", "the page is for this machine alone: no token is needed")
	m.PageGood = say("其他机器要有口令才能打开页面", "other machines need the token to open the page")
	m.PageWeak = say("其他机器能访问页面，而 page_token 太容易猜到", "other machines can reach the page, and the page_token is easy to guess")
	m.PageWeakRemedy = say("换一个长的，例如 openssl rand -hex 16 的输出", "use a long one: the output of openssl rand -hex 16, for example")
	m.Language = func(lang, from string) string { return say("中文（"+from+"）", lang+" ("+from+")") }
	m.LanguageFlag = say("命令行选项 --lang", "--lang")
	m.LanguageLocale = say("系统的语言设置", "the system's locale")
}

// chineseClock is a difference of clocks in words.
func chineseClock(d time.Duration) string {
	minutes, seconds := int(d.Minutes()), int(d.Seconds())%60
	switch {
	case minutes >= 60:
		return fmt.Sprintf("%d 小时 %d 分", minutes/60, minutes%60)
	case minutes > 0:
		return fmt.Sprintf("%d 分 %d 秒", minutes, seconds)
	}
	return fmt.Sprintf("%d 秒", seconds)
}
