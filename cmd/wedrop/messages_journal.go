package main

import (
	"fmt"
	"strings"
)

// journalMessages is what the commands about the ledger say.
type journalMessages struct {
	About, Move      about
	Backup, Restore  about
	FlagOverwrite    string
	BackedUp         func(file string, items, files, objects, templates int) string
	Restored         func(items, files, objects, templates int, when string) string
	Replaced         func(string) string
	TookOver         func(items, objects int, templates []string) string
	NotTakenOver     func(why string) string
	FlagTo, NoTarget string
	Moved            func(items, files, objects, templates int) string
	Kept, Next       func(string) string
}

func newJournalMessages(say func(zh, en string) string) journalMessages {
	return journalMessages{
		About: about{
			Short:   say("账本：备份、恢复、搬家", "the ledger: back it up, restore it, carry it over"),
			Long:    say("管理账本本身。", "Commands about the ledger itself."),
			Example: say("  wedrop journal backup /backup/wedrop.db", "  wedrop journal backup /backup/wedrop.db"),
		},
		Move: about{
			Short: say("把账本从文件搬到 PostgreSQL（多台机器共用）", "carry the ledger over from its file to PostgreSQL, for several machines"),
			Long: say(`把 journal 指定的账本文件整个搬进一个空的 PostgreSQL 数据库：要么全部搬完，要么什么都不动，并打印搬了多少。
先停掉 wedrop serve 和定时任务。搬完后原来的账本会标记为已搬走，不能再使用；在每台机器上把 journal 设为新地址。
密码放在环境变量 PGPASSWORD 或 ~/.pgpass 里，不要写在命令行上。`,
				`Carries the whole ledger in the file that journal names over into an empty
PostgreSQL database: all of it or nothing, and prints how much it was. Stop
wedrop serve and cron jobs first. Afterwards the old journal is marked and
refuses to be used; set journal to the new address on every machine. The password
goes into PGPASSWORD or ~/.pgpass, not onto the command line.`),
			Example: say(`  systemctl stop wedrop
  wedrop journal move --to postgres://wedrop@db.example.com:5432/wedrop`,
				`  systemctl stop wedrop
  wedrop journal move --to postgres://wedrop@db.example.com:5432/wedrop`),
		},
		Backup: about{
			Short: say("把账本备份到一个文件（守护进程可以在运行）", "write a copy of the ledger into a file, while others work with it"),
			Long: say(`把账本某一时刻的完整内容写进 FILE：守护进程和其他命令可以继续工作；PostgreSQL 里的账本也写成文件。
写完会检查，检查通过才使用这个文件名；已有的文件不会覆盖，除非加 --overwrite。文件只有本用户能读（0600）。
不要用 cp 备份正在使用的账本。`,
				`Writes the ledger as it is at one moment into FILE, while the daemon and other
commands go on working; one on PostgreSQL is written into a file as well. The
copy is checked before it gets its name. A file that is there already is left
alone without --overwrite. Nobody but this user can read it (0600). Do not copy
a ledger that is worked with by cp.`),
			Example: say("  wedrop journal backup --overwrite /backup/wedrop.db\n  15 3 * * * wedrop journal backup -q --overwrite /backup/wedrop-$(date +\\%u).db  # crontab", "  wedrop journal backup --overwrite /backup/wedrop.db\n  15 3 * * * wedrop journal backup -q --overwrite /backup/wedrop-$(date +\\%u).db  # crontab"),
		},
		Restore: about{
			Short: say("用备份替换账本", "put a backup in the place of the ledger"),
			Long: say(`用备份 FILE 替换 journal 指定的账本；有 wedrop 正在使用它时拒绝。原来的账本改名保留在旁边。
原来的账本如果还读得出来，其中备份不知道的结果（任务号、media_id、公开副本、欢迎语素材）会一并接过来，不会重复提交。
读不出来时：备份之后发过的文件会再提交一次（公开副本会被找到，不再上传）；备份之后新建的欢迎语素材不在列表里，
企业微信没有列表接口，请用 template_id 通过 wedrop welcome get 或 edit 处理。`,
				`Puts the backup FILE in the place of the ledger that journal names. It refuses
while some wedrop works with that one, which is kept beside under another name.
If it can still be read, what it knows besides the backup (jobs, media_ids,
public objects, welcome templates) is taken over, and nothing is submitted
twice. If it cannot: files that were sent after the backup are submitted once
more (their public objects are found, and not uploaded again), and templates
made since are not listed: WeCom has no list of them, so use their template_id
with wedrop welcome get or edit.`),
			Example: say("  systemctl stop wedrop\n  wedrop journal restore /backup/wedrop.db", "  systemctl stop wedrop\n  wedrop journal restore /backup/wedrop.db"),
		},
		FlagOverwrite: say("已有的备份文件可以覆盖", "replace a backup that is there already"),
		BackedUp: func(file string, items, files, objects, templates int) string {
			return say(fmt.Sprintf("已备份到 %s：%d 个条目，%d 个文件，%d 个公开副本，%d 条欢迎语素材", file, items, files, objects, templates),
				fmt.Sprintf("backed up to %s: %s, %s, %s, %s", file, plural(items, "item"), plural(files, "file"), plural(objects, "public object"), plural(templates, "welcome template")))
		},
		Restored: func(items, files, objects, templates int, when string) string {
			zh, en := "", ""
			if when != "" {
				zh, en = "（备份于 "+when+"）", " (backed up at "+when+")"
			}
			return say(fmt.Sprintf("已恢复%s：%d 个条目，%d 个文件，%d 个公开副本，%d 条欢迎语素材", zh, items, files, objects, templates),
				fmt.Sprintf("restored%s: %s, %s, %s, %s", en, plural(items, "item"), plural(files, "file"), plural(objects, "public object"), plural(templates, "welcome template")))
		},
		Replaced: func(path string) string {
			return say("原来的账本保留在 "+path+"，确认无误后可以删除", "the journal that was replaced is kept at "+path+"; delete it when all is well")
		},
		TookOver: func(items, objects int, templates []string) string {
			zh, en := fmt.Sprintf("从原来的账本接过了 %d 个结果、%d 个公开副本", items, objects),
				fmt.Sprintf("taken over from the journal that was replaced: %s, %s", plural(items, "result"), plural(objects, "public object"))
			if len(templates) > 0 {
				zh += "、欢迎语素材 " + strings.Join(templates, " ")
				en += ", the welcome templates " + strings.Join(templates, " ")
			}
			return say(zh, en)
		},
		NotTakenOver: func(why string) string {
			return say("没有从原来的账本接过任何内容："+why+"。备份之后发过的文件会再提交一次；之后新建的欢迎语素材要用 template_id 处理（wedrop welcome get --template-id ID）",
				"nothing was taken over from the journal that was there: "+why+". Files sent after the backup are submitted once more; templates made since are known by their template_id alone (wedrop welcome get --template-id ID)")
		},
		FlagTo:   say("PostgreSQL 地址，例如 postgres://wedrop@db.example.com/wedrop（`URL`）", "the `URL` of the database, such as postgres://wedrop@db.example.com/wedrop"),
		NoTarget: say("没有说搬到哪里：--to postgres://用户@主机/数据库", "there is no place to carry it to: --to postgres://user@host/database"),
		Moved: func(items, files, objects, templates int) string {
			return say(fmt.Sprintf("已搬完：%d 个条目，%d 个文件，%d 个公开副本，%d 条欢迎语素材", items, files, objects, templates),
				fmt.Sprintf("carried over: %s, %s, %s, %s", plural(items, "item"), plural(files, "file"), plural(objects, "public object"), plural(templates, "welcome template")))
		},
		Kept: func(path string) string {
			return say("原来的账本 "+path+" 已标记为搬走，不能再使用", "the old journal "+path+" is marked as carried away, and cannot be used any more")
		},
		Next: func(url string) string {
			return say("在每台机器的 wedrop.yaml 里写 journal: "+url+"（加上用户名），然后启动 wedrop serve", "write journal: "+url+" (with the user) into wedrop.yaml on every machine, then start wedrop serve")
		},
	}
}
