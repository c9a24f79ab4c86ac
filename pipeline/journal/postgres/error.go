package postgres

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Kind is what is wrong with a database.
type Kind string

// The values of Kind.
const (
	KindURL         Kind = "url"         // the address makes no sense
	KindUnreachable Kind = "unreachable" // nobody answers; it may pass
	KindDenied      Kind = "denied"      // wrong user or password
	KindMissing     Kind = "missing"     // there is no such database
	KindRights      Kind = "rights"      // the user may not make or change tables there
	KindOld         Kind = "old"         // an older server than 13
	KindNewer       Kind = "newer"       // a newer wedrop made the tables
	KindOther       Kind = "other"
)

// An Error says why the ledger cannot be used. It holds no password.
type Error struct {
	Kind Kind
	Host string // with port, and database; empty if unknown
	Err  error
}

func (e *Error) Error() string {
	s := "journal on PostgreSQL"
	if e.Host != "" {
		s += " " + e.Host
	}
	if e.Err == nil {
		return s + ": " + string(e.Kind)
	}
	return s + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Config reports whether a person has to mend something.
func (e *Error) Config() bool { return e.Kind != KindUnreachable && e.Kind != KindOther }

// Temporary reports whether it may pass by itself.
func (e *Error) Temporary() bool { return e.Kind == KindUnreachable }

// Explain says what happened and what to do now. lang is "zh" or "en".
func (e *Error) Explain(lang string) (message, remedy string) {
	for _, r := range reasons {
		if r.kind == e.Kind {
			if lang == "zh" {
				return fmt.Sprintf(r.zh[0], e.Host), r.zh[1]
			}
			return fmt.Sprintf(r.en[0], e.Host), r.en[1]
		}
	}
	if lang == "zh" {
		return "PostgreSQL 账本（" + e.Host + "）出错：" + errText(e.Err), "稍后再运行一次；如果一直这样，请把这句话交给管理数据库的同事。"
	}
	return "the journal on PostgreSQL (" + e.Host + ") fails: " + errText(e.Err), "run it again a little later; if it stays so, give this line to whoever runs the database"
}

func errText(err error) string {
	if err == nil {
		return "?"
	}
	return err.Error()
}

var reasons = []struct {
	kind   Kind
	zh, en [2]string
}{
	{KindURL,
		[2]string{"journal 里的 postgres:// 地址看不懂%.0s", "应为 postgres://用户@主机:5432/数据库；密码放在环境变量 PGPASSWORD 或 ~/.pgpass 里。"},
		[2]string{"the postgres:// address of the journal makes no sense%.0s", "write postgres://user@host:5432/database; the password goes into PGPASSWORD or ~/.pgpass"}},
	{KindUnreachable,
		[2]string{"连不上 PostgreSQL（%s）。", "请确认数据库已启动、地址和端口正确、防火墙放行；恢复后再运行会接着处理，不会重复提交。"},
		[2]string{"PostgreSQL at %s does not answer", "check that it runs, and the address, port and firewall; run it again then: it carries on and does nothing twice"}},
	{KindDenied,
		[2]string{"PostgreSQL（%s）不接受这个用户名或密码。", "请核对 journal 地址里的用户名，以及 PGPASSWORD 或 ~/.pgpass 里的密码。"},
		[2]string{"PostgreSQL at %s does not accept this user or password", "check the user in the journal's address, and the password in PGPASSWORD or ~/.pgpass"}},
	{KindMissing,
		[2]string{"PostgreSQL（%s）里没有这个数据库。", "请先建好数据库：createdb -O 用户 数据库名，再运行一次。"},
		[2]string{"there is no such database at PostgreSQL %s", "make it first: createdb -O USER NAME, then run it again"}},
	{KindRights,
		[2]string{"PostgreSQL（%s）的这个用户没有建表或改表的权限。", "请用数据库的所有者运行一次，或执行 GRANT CREATE, USAGE ON SCHEMA public TO 用户。"},
		[2]string{"the user may not make or change tables in PostgreSQL %s", "let the owner of the database run it once, or GRANT CREATE, USAGE ON SCHEMA public TO the user"}},
	{KindOld,
		[2]string{"PostgreSQL（%s）的版本太旧。", "wedrop 需要 PostgreSQL 13 或更新的版本。"},
		[2]string{"PostgreSQL at %s is too old", "wedrop needs PostgreSQL 13 or later"}},
	{KindNewer,
		[2]string{"账本（%s）是更新版本的 wedrop 建的。", "请在这台机器上也换成新版本的 wedrop。"},
		[2]string{"a newer wedrop made the journal at %s", "use that version of wedrop on this machine, too"}},
}

// explained gives an error of pgx its Kind. What pgx says may hold the whole
// address, with its password, so only what the server or the system said stays.
func (j *Journal) explained(err error) error {
	var own *Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	e := &Error{Kind: KindOther, Host: j.host, Err: err}
	var server *pgconn.PgError
	var network *net.OpError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &server):
		e.Err = fmt.Errorf("%s (%s)", server.Message, server.Code)
		switch {
		case strings.HasPrefix(server.Code, "28"):
			e.Kind = KindDenied
		case server.Code == "3D000":
			e.Kind = KindMissing
		case server.Code == "42501":
			e.Kind = KindRights
		case strings.HasPrefix(server.Code, "57P"), strings.HasPrefix(server.Code, "08"), server.Code == "53300":
			e.Kind = KindUnreachable
		}
	case errors.As(err, &network):
		e.Kind, e.Err = KindUnreachable, network
	case errors.As(err, &connect), pgconn.SafeToRetry(err), isBroken(err):
		e.Kind, e.Err = KindUnreachable, errors.New("no connection")
	}
	return e
}
