package pipeline

import (
	"errors"
	"fmt"
	"time"
)

// explained is an error that can tell a person what happened and what to do.
// The errors of inspect, storage and wecom are.
type explained interface {
	error
	FaultCode() string // "<who>/<what>"
	Explain(lang string) (message, remedy string)
}

// faultOf turns an error into what a person is shown.
func faultOf(err error, step Step, now time.Time) Fault {
	var e explained
	if !errors.As(err, &e) {
		e = internal{err}
	}
	f := Fault{Step: step, Code: e.FaultCode(), At: now}
	f.Message.ZH, f.Remedy.ZH = e.Explain("zh")
	f.Message.EN, f.Remedy.EN = e.Explain("en")
	return f
}

// internal is an error that nobody foresaw.
type internal struct{ err error }

func (e internal) Error() string     { return e.err.Error() }
func (e internal) Unwrap() error     { return e.err }
func (e internal) FaultCode() string { return "wedrop/internal" }
func (e internal) Explain(lang string) (string, string) {
	if lang == "zh" {
		return "程序内部出错：" + e.err.Error(), "请再运行一次；若反复出现，请把这条信息发给开发者。"
	}
	return "something unforeseen went wrong: " + e.err.Error(), "run it again; if it stays so, send this message to the developers"
}

// panicked says that a step panicked. What it panicked with is in the log
// alone: it may hold anything.
type panicked struct{}

func (panicked) Error() string     { return "the step panicked" }
func (panicked) FaultCode() string { return "internal/panic" }
func (panicked) Explain(lang string) (string, string) {
	if lang == "zh" {
		return "处理这个文件时 wedrop 内部出错（panic），其他文件不受影响。",
			"请把日志里带 trace 的那一条连同 wedrop version 的输出报告给开发者；会自动再试，三次都失败就停下，之后可用 wedrop retry 重试。"
	}
	return "wedrop itself failed (a panic) while it worked on this file; other files are not affected",
		"report it to the developers, with the line of the log that has a trace and what wedrop version prints; it is tried three times and then held, wedrop retry tries it again"
}

// jobExpired says that WeCom answered nothing within the life of a job id.
type jobExpired struct{ age time.Duration }

func (e jobExpired) Error() string {
	return fmt.Sprintf("no result after %s", e.age.Round(time.Second))
}
func (e jobExpired) FaultCode() string { return "wecom/job-expired" }
func (e jobExpired) Explain(lang string) (string, string) {
	if lang == "zh" {
		return "企业微信在 60 分钟内没有处理完这个文件，任务已失效。",
			"会自动重新提交；若反复出现，请稍后再试（wedrop retry），或换一个更小的文件确认企业微信是否正常。"
	}
	return "WeCom did not finish this file within 60 minutes, and its job has expired",
		"it is submitted again by itself; if it stays so, try later (wedrop retry), or try a smaller file to see whether WeCom is well"
}

// moved says that the public link is not the one that the configuration makes
// now.
type moved struct{}

func (moved) Error() string     { return "the bucket or its public address has changed" }
func (moved) FaultCode() string { return "storage/changed" }
func (moved) Explain(lang string) (string, string) {
	if lang == "zh" {
		return "存储桶或公网地址的配置已更改。", "会按新配置自动重新上传，无需操作。"
	}
	return "the bucket or its public address was changed in the configuration", "it is staged again by itself, there is nothing to do"
}

// unfinished is the Fault of an Item that a run left on its way.
func unfinished(it Item, err error, now time.Time) Fault {
	f := Fault{Step: it.Step, Code: "wedrop/interrupted", Retry: true, At: now,
		Message: Text{"已中断，还没有完成。", "interrupted before it was finished"},
		Remedy:  Text{"再运行一次同样的命令，会从中断处继续，不会重复提交。", "run the same command again: it carries on from here and does nothing twice"}}
	if errors.Is(err, errTimeout) {
		f.Code = "wedrop/timeout"
		f.Message = Text{"在限定时间内没有完成（还在" + stepZH[it.Step] + "）。", "not finished in the time given (" + stepEN[it.Step] + ")"}
		f.Remedy = Text{"再运行一次会接着处理；也可以用 --timeout 给更长的时间。", "run it again and it carries on; --timeout gives it longer"}
	}
	return f
}

var stepEN = map[Step]string{Inspect: "the file is still being checked", Stage: "it is still on its way to the bucket", Submit: "it still waits to be submitted",
	Await: "WeCom is still working on it", Done: "its last step is under way"}

var stepZH = map[Step]string{Inspect: "检查文件", Stage: "上传到存储桶", Submit: "等待提交", Await: "等待企业微信处理", Done: "收尾"}
