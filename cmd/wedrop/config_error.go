package main

import (
	"fmt"
	"strings"
)

// A text is something for a person to read, in both languages. Literals
// without field names cannot leave one out.
type text struct{ ZH, EN string }

// In returns the text in "zh" or "en".
func (t text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// An origin is the place where a key was set.
type origin struct {
	where  string // "wedrop.yaml:3" or "WEDROP_SETTLE"
	source string // the line of the file, without anything secret
	column int    // of the value in source, from 1; 0 if there is no source
}

// A ConfigError is a configuration with which nothing can succeed.
type ConfigError struct {
	At     origin
	What   text
	Remedy text
	Err    error // cause; may be nil
}

func (e *ConfigError) Error() string {
	what, _ := e.Explain("en")
	return what
}

func (e *ConfigError) Unwrap() error { return e.Err }

// Explain says what is wrong and what to do about it.
func (e *ConfigError) Explain(lang string) (message, remedy string) {
	var b strings.Builder
	if e.At.where != "" {
		b.WriteString(e.At.where + ": ")
	}
	b.WriteString(e.What.In(lang))
	if e.At.column > 0 {
		fmt.Fprintf(&b, "\n    %s\n    %s^", e.At.source, pad(e.At.source, e.At.column-1))
	}
	return b.String(), e.Remedy.In(lang)
}

// pad is as wide on the screen as the first n characters of line.
func pad(line string, n int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i == n {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
			continue
		}
		b.WriteString(strings.Repeat(" ", width(string(r))))
	}
	return b.String()
}

// bad is the error of a key whose value makes no sense.
func (c *Config) bad(name string, what, remedy text) error {
	at, ok := c.from[name]
	if !ok {
		at.where = name
	}
	return &ConfigError{At: at, What: prefix(name, what), Remedy: remedy}
}

func prefix(name string, t text) text {
	return text{ZH: name + "：" + t.ZH, EN: name + ": " + t.EN}
}

// missing is the error of a key that have, which is set, cannot do without.
func (c *Config) missing(name, have string) error {
	why := text{ZH: "没有设置 " + name, EN: name + " is not set"}
	at, ok := c.from[have]
	if ok {
		why.ZH += "（只设置了 " + have + "）"
		why.EN += " (only " + have + " is)"
	} else {
		at.where = c.File
	}
	at.source, at.column = "", 0
	return &ConfigError{At: at, What: why, Remedy: howToSet(name)}
}

// howToSet tells where a key is written and where its value is found.
func howToSet(name string) text {
	k := keyNamed(name)
	section, leaf, nested := strings.Cut(name, ".")
	line := section + ": " + k.example
	if nested {
		line = section + ": {" + leaf + ": " + k.example + "}"
	}
	t := text{
		ZH: fmt.Sprintf("在 wedrop.yaml 中写 %s，或设置环境变量 %s", line, k.env),
		EN: fmt.Sprintf("write %s into wedrop.yaml, or set the environment variable %s", line, k.env),
	}
	if k.secret {
		t.ZH += "（也可以用 " + leaf + "_file 指向一个只存放它的文件）"
		t.EN += " (or let " + leaf + "_file name a file that holds it)"
	}
	if k.found.ZH != "" {
		t.ZH += "；" + k.found.ZH
		t.EN += "; " + k.found.EN
	}
	return t
}
