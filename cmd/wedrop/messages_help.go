package main

// commands are the texts of --help.
func (m *messages) commands(say func(zh, en string) string) {
	m.Root = about{
		Long: say(`wedrop 把本机文件（视频或任意文件，5 字节到 200 MiB）送进企业微信，换回 media_id。`,
			`wedrop carries local files (videos or any others, 5 bytes to 200 MiB) to a
WeCom (企业微信) media_id.`),
		Example: say(`  wedrop demo                    # 不用账号，先看一遍
  wedrop push 开场.mp4           # 发送一个文件，打印 media_id
  wedrop sync /data/media        # 定时任务：发送文件夹里的新文件`,
			`  wedrop demo                    # see it work, without an account
  wedrop push clip.mp4           # send a file and print its media_id
  wedrop sync /data/media        # for cron: send what is new in a folder`),
	}
	m.Push = about{
		Short: say("发送文件，等到拿到 media_id", "send files and wait for their media_ids"),
		Long: say(`现在就发送这些文件，等到每个都有 media_id 或明确的失败原因。
一个文件：stdout 只打印 media_id。多个文件：每行 media_id<TAB>路径，按参数顺序。
内容相同且 media_id 仍有效的文件不会再发。`,
			`Sends the files now and waits until each has its media_id or a fault.
Of one file it prints the media_id alone; of several a line media_id<TAB>path
each, in the order of the arguments. What was sent before and is still valid is
not sent again.`),
		Example: say(`  wedrop push 开场.mp4
  wedrop push *.mp4 价格表.pdf
  wedrop push --name 欢迎.mp4 video-final-3.mp4
  wedrop push --type file 片头.mov       # 不是 MP4 的视频，当普通文件发
  wedrop push --no-wait 大文件.mp4; wedrop push 大文件.mp4`,
			`  wedrop push clip.mp4
  wedrop push *.mp4 prices.pdf
  wedrop push --name welcome.mp4 video-final-3.mp4
  wedrop push --type file trailer.mov    # a video that is no MP4, as a plain file
  wedrop push --no-wait big.mp4; wedrop push big.mp4`),
	}
	m.Sync = about{
		Short: say("处理文件夹（适合定时任务）", "send what is new in folders (for cron)"),
		Long: say(`处理文件夹（参数，否则用配置里的 folders）中新的、改过的、没做完的、快到期的文件。
已有有效 media_id 的文件不产生任何网络请求。每个新得到的 media_id 打印一行
media_id<TAB>路径；--json 时每个文件一行。被中断的那次运行没打印的行以后也不会补打，所以不要用这些行拼清单：
完整的结果在 wedrop list --json、wedrop get 和配置里各文件夹的 wedrop-media.csv。还在写入的文件等 30 秒，仍不稳定就留给下次。
以前失败的文件不会自动重试：解决后用 wedrop retry，或换成新内容。`,
			`Takes every file in the folders (the arguments, else folders of the
configuration) that is new, changed, unfinished or about to expire. Files with a
good media_id cost no network call. Each media_id that is new is printed as a
line media_id<TAB>path; with --json there is a line for each file. What a run did
not print because it was killed is not printed by the next one, so make no list
of these lines: wedrop list --json, wedrop get NAME and wedrop-media.csv in the
folders of the configuration have every result. A file that is
still being written is waited for up to 30 seconds, then left for the next run.
What failed before is not tried again by itself: mend it, then wedrop retry, or
put new content in its place.`),
		Example: say(`  wedrop sync /data/media
  wedrop sync                             # 用配置里的 folders
  */10 * * * * wedrop sync -q >/dev/null  # crontab；结果用 wedrop get 名称、wedrop list --json 或文件夹里的 wedrop-media.csv 取`,
			`  wedrop sync /data/media
  wedrop sync                             # the folders of the configuration
  */10 * * * * wedrop sync -q >/dev/null  # crontab; for results: wedrop get NAME, wedrop list --json, or wedrop-media.csv in the folder`),
	}
	m.Check = about{
		Short: say("只检查文件，不联网，不需要配置", "check files; no network, no configuration"),
		Long: say(`检查文件并计算 MD5，不联网，不需要配置。
可以发送的每个打印一行 OK<TAB>类型<TAB>字节数<TAB>MD5<TAB>路径；不能发送的在 stderr 说明原因和办法。`,
			`Validates and hashes files, without network and without a configuration.
Each that can be sent prints a line OK<TAB>type<TAB>bytes<TAB>MD5<TAB>path; for
the others stderr has the reason and the cure.`),
		Example: say("  wedrop check *.mp4\n  wedrop check --json 片头.mov", "  wedrop check *.mp4\n  wedrop check --json trailer.mov"),
	}
	m.Get = about{
		Short: say("打印现在有效的 media_id", "print a media_id that is valid now"),
		Long: say(`打印某个文件现在有效的 media_id；快到期的先续期。NAME 可以是路径、显示名或 MD5。
账本里的 media_id 足够新时，不联网，也不需要企业微信和存储桶的配置。`,
			`Prints a media_id that is valid now for a file, and renews it first where
needed. NAME is a path, a shown name or an MD5. While the one in the ledger is
good, no network and no configuration of WeCom or the bucket is needed.`),
		Example: say("  wedrop get 开场.mp4\n  id=$(wedrop get --min-ttl 1h /data/media/开场.mp4)", "  wedrop get clip.mp4\n  id=$(wedrop get --min-ttl 1h /data/media/clip.mp4)"),
	}
	m.List = about{
		Short:   say("列出账本", "show the ledger"),
		Long:    say("把账本显示成表格；--json 时每个文件一行。", "Shows the ledger as a table, or with --json as a line for each file."),
		Example: say("  wedrop list\n  wedrop list --expiring 12h\n  wedrop list --held --json", "  wedrop list\n  wedrop list --expiring 12h\n  wedrop list --held --json"),
	}
	m.Retry = about{
		Short:   say("放行停下来的文件", "release files that are held"),
		Long:    say("放行停下来等人处理的文件：下次 sync 或 push 会从停下的地方继续。", "Releases files that wait for a person: the next sync or push carries on with\nthem where they stopped."),
		Example: say("  wedrop list --held\n  wedrop retry 12 13\n  wedrop retry --all", "  wedrop list --held\n  wedrop retry 12 13\n  wedrop retry --all"),
	}
	m.Clean = about{
		Short: say("删除不再需要的公开文件", "remove public objects that nobody needs"),
		Long: say(`删除存储桶里不再需要的公开文件：没有任务在用，续期也用不到（见 storage.keep）。
只删除 wedrop 自己上传的。`,
			`Removes staged public objects that no job and no renewal needs any more (see
storage.keep). It deletes only what wedrop itself has put there.`),
		Example: "  wedrop clean",
	}
	m.Demo = about{
		Short: say("不用账号，演示全过程", "show the whole job without an account"),
		Long: say(`用内置的企业微信模拟器和内置存储桶，把几个样例文件走完全程，打印 media_id 表格，
然后打开页面（默认 http://127.0.0.1:8765），拖进去的文件也走同样的流程，按 Ctrl-C 结束；
--once 显示表格后就结束。不需要账号和配置，不访问外网，结束时删除所有临时文件。`,
			`Carries a few sample files all the way, with a built-in WeCom simulator and a
built-in bucket, prints a table of media_ids, and then serves the page (at
http://127.0.0.1:8765 by default), where dropped files go the same way, until
Ctrl-C; --once ends after the table. It needs no account and no configuration,
stays on this machine and removes its files at the end.`),
		Example: say("  wedrop demo\n  wedrop demo --once --json", "  wedrop demo\n  wedrop demo --once --json"),
	}
	m.Version = about{
		Short:   say("显示版本", "show the version"),
		Example: "  wedrop version\n  wedrop version --json",
	}
	m.Help = about{
		Short:   say("显示帮助", "show help"),
		Example: "  wedrop help push",
	}
	m.Completion = about{
		Short: say("生成 shell 自动补全脚本", "print a completion script for a shell"),
		Long:  say("打印 shell 的自动补全脚本：bash、zsh、fish 或 powershell。", "Prints a completion script for bash, zsh, fish or powershell."),
		Example: say(`  wedrop completion bash > /etc/bash_completion.d/wedrop
  wedrop completion zsh > "${fpath[1]}/_wedrop"
  wedrop completion fish > ~/.config/fish/completions/wedrop.fish
  wedrop completion powershell >> $PROFILE`,
			`  wedrop completion bash > /etc/bash_completion.d/wedrop
  wedrop completion zsh > "${fpath[1]}/_wedrop"
  wedrop completion fish > ~/.config/fish/completions/wedrop.fish
  wedrop completion powershell >> $PROFILE`),
	}
}
