package main

import "fmt"

// journalMessages is what the commands about the ledger say.
type journalMessages struct {
	About, Move      about
	FlagTo, NoTarget string
	Moved            func(items, files, objects, templates int) string
	Kept, Next       func(string) string
}

func newJournalMessages(say func(zh, en string) string) journalMessages {
	return journalMessages{
		About: about{
			Short:   say("账本：搬到 PostgreSQL", "the ledger: carry it over to PostgreSQL"),
			Long:    say("管理账本本身。", "Commands about the ledger itself."),
			Example: say("  wedrop journal move --to postgres://wedrop@db.example.com/wedrop", "  wedrop journal move --to postgres://wedrop@db.example.com/wedrop"),
		},
		Move: about{
			Short: say("把账本从文件搬到 PostgreSQL（多台机器共用）", "carry the ledger over from its file to PostgreSQL, for several machines"),
			Long: say(`把 journal 指定的账本文件整个搬进一个空的 PostgreSQL 数据库：要么全部搬完，要么什么都不动，并打印搬了多少。
先停掉 wedrop serve 和定时任务。原来的文件不会改动；搬完后在每台机器上把 journal 设为新地址，不要再用旧文件，
否则同一个文件会发两次。密码放在环境变量 PGPASSWORD 或 ~/.pgpass 里，不要写在命令行上。`,
				`Carries the whole ledger in the file that journal names over into an empty
PostgreSQL database: all of it or nothing, and prints how much it was. Stop
wedrop serve and cron jobs first. The file stays as it was. Afterwards set
journal to the new address on every machine, and do not use the old file again:
files would be sent twice. The password goes into PGPASSWORD or ~/.pgpass, not
onto the command line.`),
			Example: say(`  systemctl stop wedrop
  wedrop journal move --to postgres://wedrop@db.example.com:5432/wedrop`,
				`  systemctl stop wedrop
  wedrop journal move --to postgres://wedrop@db.example.com:5432/wedrop`),
		},
		FlagTo:   say("PostgreSQL 地址，例如 postgres://wedrop@db.example.com/wedrop（`URL`）", "the `URL` of the database, such as postgres://wedrop@db.example.com/wedrop"),
		NoTarget: say("没有说搬到哪里：--to postgres://用户@主机/数据库", "there is no place to carry it to: --to postgres://user@host/database"),
		Moved: func(items, files, objects, templates int) string {
			return say(fmt.Sprintf("已搬完：%d 个条目，%d 个文件，%d 个公开副本，%d 条欢迎语素材", items, files, objects, templates),
				fmt.Sprintf("carried over: %s, %s, %s, %s", plural(items, "item"), plural(files, "file"), plural(objects, "public object"), plural(templates, "welcome template")))
		},
		Kept: func(path string) string {
			return say("原来的账本 "+path+" 没有改动，但从现在起不要再用", "the old journal "+path+" is as it was, and must not be used from now on")
		},
		Next: func(url string) string {
			return say("在每台机器的 wedrop.yaml 里写 journal: "+url+"（加上用户名），然后启动 wedrop serve", "write journal: "+url+" (with the user) into wedrop.yaml on every machine, then start wedrop serve")
		},
	}
}
