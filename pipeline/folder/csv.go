package folder

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	"wedrop/pipeline/beneath"
)

// WriteCSV writes the rows to ResultsName in dir, for Excel and WPS: UTF-8
// with a byte order mark, and nothing in it is taken for a formula, a number
// or a date that it is not. The headings are in lang, "zh" or "en".
//
// The file is replaced in one instant, and left alone if nothing changed. dir
// must be there: it is not made, because it may be a drive that is not
// mounted. The error is a *WriteError; the former file stays then, and if the
// error's InUse says that a program has it open, a later call succeeds.
func WriteCSV(dir string, rows []Row, lang string) error {
	path := filepath.Join(dir, ResultsName)
	content := table(rows, lang)
	d, err := beneath.Root(dir)
	if err != nil {
		return &WriteError{Path: path, Err: err}
	}
	defer d.Close()
	if holds(d, ResultsName, content) {
		return nil
	}
	if err := replace(d, ResultsName, content); err != nil {
		return &WriteError{Path: path, Err: err}
	}
	return nil
}

// holds reports whether the file has this content already.
func holds(d *beneath.Dir, name string, content []byte) bool {
	fi, err := d.Lstat(name)
	if err != nil || fi.Size() != int64(len(content)) {
		return false
	}
	f, err := d.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	is, err := io.ReadAll(io.LimitReader(f, fi.Size()+1))
	return err == nil && bytes.Equal(is, content)
}

func table(rows []Row, lang string) []byte {
	var b bytes.Buffer
	b.WriteString(bom)
	head := []string{"name", "media_id", "valid until", "state", "what to do"}
	if lang == "zh" {
		head = []string{"名称", "media_id", "有效期至", "状态", "怎么办"}
	}
	line(&b, head)
	for _, r := range rows {
		line(&b, []string{tame(r.Name), exact(r.MediaID), r.ValidUntil, tame(r.State), tame(r.Todo)})
	}
	return b.Bytes()
}

const (
	bom  = "\xef\xbb\xbf" // or Excel reads the system's old code page
	crlf = "\r\n"
)

func line(b *bytes.Buffer, fields []string) {
	for n, f := range fields {
		if n > 0 {
			b.WriteByte(',')
		}
		// Some systems' Excel takes semicolons for the separator.
		if strings.ContainsAny(f, `",;`) || f != strings.TrimSpace(f) {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		b.WriteString(f)
	}
	b.WriteString(crlf)
}

// tame returns text for people as a cell that is no formula. Line ends and
// other control characters become spaces.
func tame(s string) string {
	formula := formula(s)
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if formula {
		return "'" + s
	}
	return s
}

// formula reports whether a spreadsheet would begin to calculate. The wide
// forms are what Chinese and Japanese keyboards make.
func formula(s string) bool {
	return s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0])
}

// exact returns a text that is copied from the cell as it is. What Excel would
// turn into a number, a date or a formula becomes a formula that says the
// text itself.
func exact(s string) string {
	numeric := s != "" && strings.Trim(s, "0123456789.,:/-+eE% ") == ""
	switch {
	case strings.ContainsRune(s, '"') || strings.ContainsFunc(s, unicode.IsControl): // no media_id looks like this
		return tame(s)
	case numeric || formula(s):
		return `="` + s + `"`
	}
	return s
}
