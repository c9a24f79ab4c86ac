package main

import (
	"fmt"
	"time"

	"wedrop/pipeline"
)

// about are the texts of a command's help.
type about struct{ Short, Long, Example string }

// states are the words for where an Item stands.
type states struct {
	Inspect, Stage, Submit, Await, Ready, Expired, Again, Held string
}

// messages is everything that the commands say, in one language. Faults bring
// their own words: see pipeline.Fault.
type messages struct {
	Lang string

	Root, Push, Sync, Check, Get, List, Retry, Clean, Demo, Version, Help, Completion about

	HelpUsage, HelpCommands, HelpExamples, HelpFlags, HelpFlagsEverywhere, HelpExits, Exits string

	FlagConfig, FlagJSON, FlagLang, FlagQuiet, FlagVerbose, FlagHelp   string
	FlagType, FlagName, FlagTimeout, FlagDryRun, FlagForce, FlagNoWait string
	FlagMinTTL, FlagWait, FlagExpiring, FlagHeld, FlagAll, FlagOnce    string

	// Wrong usage.
	NoCommand, TooManyArgs, NameOneFile, NameUnseen, FileUnnamed, QuietVerbose, RetryWhat, NoFolders, LongTTL string
	UnknownCommand, UnknownFlag, FlagNeedsValue, MissingArgs                                                  func(string) string
	BadLang, BadType, BadID, BadShell, DidYouMean, SeeHelp                                                    func(string) string
	FlagNotADuration, FlagBadValue                                                                            func(flag, value string) string

	// What ended a command.
	Interrupted, TimedOut, CarryOn, StdoutRemedy, OtherRemedy string
	NotFoundRemedy, AmbiguousRemedy, NotHeldRemedy            string
	Stdout, NotFound, NotHeld                                 func(string) string
	Ambiguous                                                 func(name string, n int) string
	NotReady                                                  func(time.Duration) string
	Overwritten                                               func(name string) string

	// A run.
	Summary                          func(done, reused, failed, unfinished, left int, took time.Duration) string
	Progress                         func(good, total, bad, waiting int, took string) string
	Submitted                        func(name string) string
	WarningOf                        func(name, message string) string
	Same                             func(n int) string
	Plan                             func(name string, it pipeline.Item) string
	Reading, Uploading               string
	Submitting, Waiting              string
	MarkDone, MarkReused, MarkFailed string

	// The ledger.
	Columns, DemoColumns    []string
	State                   states
	NothingListed, HeldHint string
	KeptForever             string
	Released, Removed       func(n int) string

	DemoIntro, DemoRefused, DemoOutro string
	DemoPage, DemoTaken               func(address string) string

	Serve  serveMessages
	Doctor doctorMessages

	Welcome  welcomeMessages
	Download downloadMessages
	Journal  journalMessages
}

// newMessages is the catalogue in "zh" or "en". Every entry has both, side by
// side, so that none is changed alone.
func newMessages(lang string) *messages {
	say := func(zh, en string) string { return text{zh, en}.In(lang) }
	m := &messages{
		Lang:                lang,
		HelpUsage:           say("用法：", "Usage:"),
		HelpCommands:        say("命令：", "Commands:"),
		HelpExamples:        say("例子：", "Examples:"),
		HelpFlags:           say("选项：", "Flags:"),
		HelpFlagsEverywhere: say("通用选项：", "Flags everywhere:"),
		HelpExits:           say("退出码：", "Exit codes:"),
		Exits: say(`  0  要求的都已完成
  1  至少有一个文件被拒绝或彻底失败
  2  用法不对
  3  配置问题：凭证、权限、可信 IP、存储桶不能公开读取；要有人改好才行
  4  还没完成：仍在等待，或遇到会自己过去的问题；再运行一次会接着做`,
			`  0  everything that was asked for is done
  1  at least one file was refused or failed for good
  2  wrong usage
  3  configuration: credentials, permission, trusted IP, a bucket that is not
     public; nothing can succeed until a person mends it
  4  not finished: still waiting, or trouble that passes; run it again and it
     carries on`),

		FlagConfig:   say("配置文件 `FILE`（默认找 $WEDROP_CONFIG、./wedrop.yaml、用户配置目录）", "configuration `FILE` (else $WEDROP_CONFIG, ./wedrop.yaml, the user's configuration folder)"),
		FlagJSON:     say("每个文件输出一行 JSON", "print a line of JSON for each file"),
		FlagLang:     say("语言 `LANG`：zh 或 en", "language `LANG`: zh or en"),
		FlagQuiet:    say("只输出结果和错误", "print results and faults alone"),
		FlagVerbose:  say("在 stderr 上记录每一步", "log every step on stderr"),
		FlagHelp:     say("显示帮助", "show this help"),
		FlagType:     say("按什么类型发送 `TYPE`：auto（默认）、video、file", "send as `TYPE`: auto (default), video or file"),
		FlagName:     say("对方看到的文件名 `NAME`（只能配一个文件）", "the `NAME` that the receiver sees (with one file)"),
		FlagTimeout:  say("最多用多久 `D`（默认 30m）", "give up after `D` (default 30m)"),
		FlagDryRun:   say("只说会做什么，不上传也不提交", "say what would be done; upload and submit nothing"),
		FlagForce:    say("已有有效的 media_id 也重新发送", "send again even if a valid media_id exists"),
		FlagNoWait:   say("提交后就返回，不等企业微信处理完", "return once WeCom has taken the job"),
		FlagMinTTL:   say("media_id 至少还要有效多久 `D`", "how long `D` the media_id must live at least"),
		FlagWait:     say("需要先续期时最多等多久 `D`（默认 5m）", "wait at most `D` where it has to be renewed first (default 5m)"),
		FlagExpiring: say("只列出 `D` 之内到期的", "only media_ids that expire within `D`"),
		FlagHeld:     say("只列出停下来等人处理的", "only files that wait for a person"),
		FlagAll:      say("放行所有停下来的", "all that are held"),
		FlagOnce:     say("显示结果表格后就结束", "end after the table"),

		NoCommand:    say("没有说要做什么", "there is no command"),
		TooManyArgs:  say("参数太多", "too many arguments"),
		NameUnseen:   say("--name 里没有任何可以显示的字符", "--name has no character that can be shown"),
		FileUnnamed:  say("有一个文件名是空的（可能是脚本里的变量没有值）", "one of the file names is empty (a variable of a script without a value?)"),
		NameOneFile:  say("--name 只能和一个文件一起用", "--name goes with exactly one file"),
		QuietVerbose: say("--quiet 和 --verbose 不能同时用", "--quiet and --verbose exclude each other"),
		RetryWhat:    say("要么给出编号，要么用 --all", "give either ids or --all"),
		NoFolders:    say("没有说是哪个文件夹：写在命令后面，或写在配置的 folders 里", "no folder is named: give one, or set folders in the configuration"),
		Overwritten: func(name string) string {
			return say(name+" 在上次发送之后被改过，现在发送新的内容", name+" was overwritten since it was sent: the new content is sent now")
		},
		LongTTL:        say("--min-ttl 要小于 72h：media_id 最多有效 72 小时", "--min-ttl has to be less than 72h, the whole life of a media_id"),
		UnknownCommand: func(s string) string { return say("没有这个命令："+s, "unknown command: "+s) },
		UnknownFlag:    func(s string) string { return say("没有这个选项："+s, "unknown flag: "+s) },
		FlagNeedsValue: func(s string) string { return say("选项 "+s+" 后面要有值", "flag "+s+" needs a value") },
		MissingArgs:    func(s string) string { return say("缺少参数："+s, "missing argument: "+s) },
		BadLang: func(s string) string {
			return say("不支持的语言 "+s+"：可用 zh 或 en", "unknown language "+s+": use zh or en")
		},
		BadType: func(s string) string {
			return say("不认识的类型 "+s+"：可用 auto、video 或 file", "unknown type "+s+": use auto, video or file")
		},
		BadID: func(s string) string {
			return say("编号要是正整数，不能是 "+s, "an id is a whole number above 0, not "+s)
		},
		BadShell: func(s string) string {
			return say("不支持的 shell "+s+"：可用 bash、zsh、fish 或 powershell", "unknown shell "+s+": use bash, zsh, fish or powershell")
		},
		DidYouMean: func(s string) string { return say("是不是想用 "+s+"？", "did you mean "+s+"?") },
		SeeHelp:    func(s string) string { return say("用 "+s+" --help 查看用法", "see "+s+" --help") },
		FlagNotADuration: func(flag, v string) string {
			return say(flag+" 的值 "+v+" 不是时长：写成 30s、10m、12h 或 3d", flag+": "+v+" is not a length of time: write 30s, 10m, 12h or 3d")
		},
		FlagBadValue: func(flag, v string) string { return say(flag+" 的值 "+v+" 不对", flag+" cannot be "+v) },

		Interrupted:  say("已中断", "interrupted"),
		TimedOut:     say("给定的时间用完了，还没有完成", "not finished in the time given"),
		CarryOn:      say("再运行一次同样的命令，会从中断处继续", "run the same command again: it carries on from here"),
		StdoutRemedy: say("检查输出的去处（磁盘满了？管道的另一端已关闭？）；已完成的 media_id 都在账本里，可用 wedrop list 查看", "check where the output goes (a full disk? a closed pipe?); media_ids that have come are in the ledger: wedrop list"),
		OtherRemedy:  say("再运行一次；若反复出现，加 -v 运行并把输出发给管理员", "run it again; if it stays so, run it with -v and show the output to an administrator"),
		Stdout: func(why string) string {
			return say("结果写不出去："+why, "the results cannot be written: "+why)
		},
		NotFound: func(name string) string {
			return say("账本里没有 "+name, "nothing in the ledger is called "+name)
		},
		NotFoundRemedy: say("先发送它：wedrop push 文件；wedrop list 列出已有的", "send it first: wedrop push FILE; wedrop list shows what is there"),
		Ambiguous: func(name string, n int) string {
			return say(fmt.Sprintf("有 %d 个不同的文件都叫 %s", n, name), fmt.Sprintf("%d different files are called %s", n, name))
		},
		AmbiguousRemedy: say("改用文件路径或 MD5 指明是哪一个；wedrop list --json 里都有", "name the one you mean by its path or MD5; wedrop list --json has both"),
		NotReady: func(d time.Duration) string {
			return say(fmt.Sprintf("等了 %s 还没有拿到有效的 media_id", d), fmt.Sprintf("no valid media_id after %s", d))
		},
		NotHeld: func(id string) string {
			return say("没有编号为 "+id+" 的已停下的文件", "no held item has the number "+id)
		},
		NotHeldRemedy: say("wedrop list --held 列出所有已停下的文件", "wedrop list --held shows those that are"),

		Submitted: func(name string) string {
			return say(name+"：已提交，企业微信正在处理", name+": submitted, WeCom is working on it")
		},
		WarningOf: func(name, message string) string { return say(name+"：注意："+message, name+": note: "+message) },
		Same: func(n int) string {
			return say(fmt.Sprintf("另有 %d 个文件因同样的原因停下", n), fmt.Sprintf("%d more files stopped for the same reason", n))
		},
		Reading:    say("检查", "reading"),
		Uploading:  say("上传", "uploading"),
		Submitting: say("提交", "submitting"),
		Waiting:    say("微信处理中", "at WeCom"),
		MarkDone:   say("完成", "done"),
		MarkFailed: say("不能发送", "refused"),
		MarkReused: say("已有相同内容，复用", "sent before, reused"),
		State: states{
			Inspect: say("待检查", "to be read"),
			Stage:   say("待上传", "to be uploaded"),
			Submit:  say("待提交", "to be submitted"),
			Await:   say("微信处理中", "at WeCom"),
			Ready:   say("可用", "ready"),
			Expired: say("已过期", "expired"),
			Again:   say("稍后重试", "tries again"),
			Held:    say("已停下", "held"),
		},
		NothingListed: say("没有符合条件的文件", "nothing to list"),
		HeldHint:      say("→ 解决原因后用 wedrop retry 编号 放行（--all 放行全部）；wedrop list --held --json 有每个文件的解决办法", "→ once the cause is mended, wedrop retry ID releases a file (--all: all); wedrop list --held --json has the remedy for each"),
		KeptForever:   say("storage.keep 是 forever：什么都不删", "storage.keep is forever: nothing is removed"),
		Released: func(n int) string {
			if n == 0 {
				return say("没有放行任何文件", "0 released")
			}
			return say(fmt.Sprintf("已放行 %d 个；下次 wedrop sync 或 push 会继续", n), fmt.Sprintf("%d released; the next wedrop sync or push carries on with them", n))
		},
		Removed: func(n int) string {
			return say(fmt.Sprintf("已删除 %d 个不再需要的公开文件", n), fmt.Sprintf("%d public objects removed that nobody needs any more", n))
		},

		DemoIntro:   say("演示：内置的企业微信模拟器和内置存储桶，不需要账号，不访问外网", "demo: a built-in WeCom simulator and a built-in bucket; no account, nothing leaves this machine"),
		DemoRefused: say("被拒绝的文件会这样提示：", "a file that is refused looks like this:"),
		DemoPage: func(address string) string {
			return say("网页在 "+address+"（用浏览器打开，把文件拖进去试试；按 Ctrl-C 结束）", "the page is at "+address+" (drop files on it; Ctrl-C ends the demo)")
		},
		DemoTaken: func(address string) string {
			return say(address+" 用不了（可能被别的程序占用），换一个空闲端口", address+" cannot be had (another program may have it), so a free port is taken")
		},
		DemoOutro: say("演示结束，临时文件已删除。真正使用：写好 wedrop.yaml，然后 wedrop push 文件", "that was the demo; its files are gone. For the real thing write a wedrop.yaml, then wedrop push FILE"),
	}
	m.Columns = []string{say("编号", "ID"), say("名称", "NAME"), say("类型", "TYPE"), say("大小", "SIZE"),
		say("状态", "STATE"), "MEDIA_ID", say("有效期至", "VALID UNTIL"), say("问题", "FAULT")}
	m.DemoColumns = []string{m.Columns[1], m.Columns[2], m.Columns[3], m.Columns[5], m.Columns[6]}
	m.Summary = func(done, reused, failed, unfinished, left int, took time.Duration) string {
		all := done + reused + failed + unfinished + left
		s := say(fmt.Sprintf("%d 个文件：%d 成功", all, done+reused), fmt.Sprintf("%s: %d done", plural(all, "file"), done+reused))
		if reused > 0 {
			s += say(fmt.Sprintf("（%d 复用）", reused), fmt.Sprintf(" (%d reused)", reused))
		}
		if failed > 0 {
			s += say(fmt.Sprintf(" · %d 失败", failed), fmt.Sprintf(", %d failed", failed))
		}
		if unfinished > 0 {
			s += say(fmt.Sprintf(" · %d 未完成", unfinished), fmt.Sprintf(", %d not finished", unfinished))
		}
		if left > 0 {
			s += say(fmt.Sprintf(" · %d 还没写完，留到下次", left), fmt.Sprintf(", %d still being written and left to the next run", left))
		}
		return s + say(" · 用时 ", ", took ") + spent(took)
	}
	m.Progress = func(good, total, bad, waiting int, took string) string {
		s := say(fmt.Sprintf("%d/%d 完成", good, total), fmt.Sprintf("%d of %d done", good, total))
		if bad > 0 {
			s += say(fmt.Sprintf("  %d 失败", bad), fmt.Sprintf(", %d failed", bad))
		}
		if waiting > 0 {
			s += say(fmt.Sprintf("  %d 等待微信", waiting), fmt.Sprintf(", %d at WeCom", waiting))
		}
		return s + "  " + took
	}
	m.Plan = func(name string, it pipeline.Item) string {
		what := say("会上传并提交", "would be uploaded and submitted")
		switch {
		case it.Reused:
			what = say("已有有效的 media_id，不会再发", "has a valid media_id already, would not be sent")
		case it.Step == pipeline.Submit:
			what = say("会再次提交（不必重新上传）", "would be submitted again, without an upload")
		case it.Step == pipeline.Await:
			what = say("已提交，会接着等企业微信处理", "is at WeCom already, would be waited for")
		case it.Step == pipeline.Done:
			what = say("media_id 会留着不动", "its media_id would be left as it is")
		}
		return fmt.Sprintf("%s: %s (%s, %s, MD5 %s)", name, what, it.Type, size(it.Size), it.MD5)
	}
	m.Serve = newServeMessages(say)
	m.Doctor = newDoctorMessages(say)
	m.Welcome, m.Download = newWelcomeMessages(say), newDownloadMessages(say)
	m.Journal = newJournalMessages(say)
	m.commands(say)
	return m
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// spent is a length of time as people say it.
func spent(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return clock(d)
}
