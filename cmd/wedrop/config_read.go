package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"wedrop/pipeline/folder"
	"wedrop/pipeline/inspect"
)

// readFile takes the keys of a YAML file.
func (c *Config) readFile(path string, explicit bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		e := &ConfigError{At: origin{where: path}, Err: err,
			What:   text{"读不到配置文件：" + cause(err), "the configuration cannot be read: " + cause(err)},
			Remedy: text{"检查路径和权限", "check the path and the permissions"}}
		if explicit && errors.Is(err, os.ErrNotExist) {
			e.Remedy = text{"检查 --config 或环境变量 WEDROP_CONFIG 中的路径", "check the path in --config or the environment variable WEDROP_CONFIG"}
		}
		return e
	}
	c.File = path
	c.base = filepath.Dir(path)
	defer func() { c.base = "" }()
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as editors of Windows write it
	return (&yamlFile{path: path, lines: strings.Split(string(data), "\n"), c: c}).read(data)
}

// cause is a system error without the path, which stands before it already.
func cause(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// A yamlFile puts the keys of one file into a Config and knows the line of
// each for the sake of whoever wrote it.
type yamlFile struct {
	path  string
	lines []string
	c     *Config
}

func (f *yamlFile) read(data []byte) error {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return f.syntax(err)
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) > 1 {
		return f.errorAt(bodies[1].GetToken(), text{"配置文件里有多份文档（---）", "the file has more than one document (---)"},
			text{"只留一份", "leave one"})
	}
	if len(bodies) == 0 {
		return nil
	}
	return f.section("", bodies[0])
}

// syntax words the parser's error.
func (f *yamlFile) syntax(err error) error {
	var e interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &e) || e.GetToken() == nil {
		return &ConfigError{At: origin{where: f.path}, Err: err,
			What:   text{"不是正确的 YAML", "this is not YAML"},
			Remedy: text{"检查缩进和引号", "check the indentation and the quotes"}}
	}
	remedy := text{"检查这一行的缩进和引号：缩进用空格不用 Tab，Windows 路径用单引号", "check the indentation and the quotes of this line: indent with spaces, not tabs, and put Windows paths into single quotes"}
	return f.errorAt(e.GetToken(), text{"YAML 写法不对：" + e.GetMessage(), "this is not YAML: " + e.GetMessage()}, remedy)
}

// section reads the members of a mapping; at is "" or the name of a section.
func (f *yamlFile) section(at string, n ast.Node) error {
	var members []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		members = n.Values
	case *ast.MappingValueNode:
		members = []*ast.MappingValueNode{n}
	case *ast.NullNode:
		return nil
	default:
		return f.errorAt(n.GetToken(), text{"这里应该是「键: 值」", "there should be \"key: value\" here"},
			text{"例如 lang: zh", "for example lang: zh"})
	}
	for _, m := range members {
		if err := f.member(at, m); err != nil {
			return err
		}
	}
	return nil
}

func (f *yamlFile) member(at string, m *ast.MappingValueNode) error {
	name := m.Key.GetToken().Value
	if at != "" {
		name = at + "." + name
	}
	switch {
	case slices.Contains(sections(), name):
		return f.section(name, m.Value)
	case name == "folders":
		return f.folders(m.Value)
	}
	for _, k := range keys() {
		if k.name == name || k.byFile() && k.name+"_file" == name {
			return f.scalar(k, name, m)
		}
	}
	return f.unknown(name, m.Key.GetToken())
}

func sections() []string { return []string{"wecom", "callback", "storage", "notify", "welcome"} }

func (f *yamlFile) scalar(k key, name string, m *ast.MappingValueNode) error {
	v, ok := value(m.Value)
	if !ok {
		return f.errorAt(m.Value.GetToken(), text{name + "：这里要填单个值", name + ": this has to be a single value"},
			text{"例如 " + name + ": " + k.example, "for example " + name + ": " + k.example})
	}
	if v == "" {
		return nil // "secret:" with nothing behind it is not set
	}
	if _, twice := f.c.from[k.name]; twice {
		return f.errorAt(m.Key.GetToken(), text{k.name + " 和 " + k.name + "_file 只能填一个", k.name + " and " + k.name + "_file exclude each other"},
			text{"删掉其中一个", "remove one of them"})
	}
	return f.c.put(k, v, name != k.name, f.origin(m.Value.GetToken()))
}

// value is a scalar as it was written: 0123 stays 0123.
func value(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.NullNode:
		return "", true
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// put sets a key, or says why its value makes no sense.
func (c *Config) put(k key, v string, isFile bool, at origin) error {
	if isFile {
		content, err := os.ReadFile(c.local(v))
		if err != nil {
			return &ConfigError{At: at, Err: err,
				What:   text{k.name + "_file：读不到 " + v + "：" + cause(err), k.name + "_file: " + v + " cannot be read: " + cause(err)},
				Remedy: text{"检查路径，以及运行 wedrop 的用户能否读取它", "check the path, and whether the user who runs wedrop may read it"}}
		}
		file := v
		if v = strings.TrimSpace(string(content)); v == "" {
			return &ConfigError{At: at,
				What:   text{k.name + "_file：" + file + " 是空的", k.name + "_file: " + file + " is empty"},
				Remedy: text{"把值写进这个文件", "write the value into it"}}
		}
	}
	c.from[k.name] = at
	if e := k.set(c, v); e != nil {
		return c.bad(k.name, e.what, e.remedy)
	}
	return nil
}

// folders reads the list of folders: paths, or mappings with a path.
func (f *yamlFile) folders(n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		if _, null := n.(*ast.NullNode); null {
			return nil
		}
		return f.errorAt(n.GetToken(), text{"folders：这里要填一个列表", "folders: this has to be a list"},
			text{"例如 folders: [{path: /data/media}]", "for example folders: [{path: /data/media}]"})
	}
	f.c.from["folders"] = f.origin(n.GetToken())
	for _, v := range list.Values {
		folder, err := f.folder(v)
		if err != nil {
			return err
		}
		f.c.Folders = append(f.c.Folders, folder)
	}
	return nil
}

func (f *yamlFile) folder(n ast.Node) (Folder, error) {
	d := Folder{Type: inspect.Auto, Recursive: true}
	if path, ok := value(n); ok && path != "" {
		d.Path = f.c.local(path)
		return d, nil
	}
	var members []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		members = n.Values
	case *ast.MappingValueNode:
		members = []*ast.MappingValueNode{n}
	}
	for _, m := range members {
		if err := f.folderMember(&d, m); err != nil {
			return d, err
		}
	}
	if d.Path == "" {
		return d, f.errorAt(n.GetToken(), text{"folders：这一项没有 path", "folders: this one has no path"},
			text{"写成 {path: /data/media}，需要时再加 type、recursive、after 和 shared", "write {path: /data/media}, with type, recursive, after and shared if needed"})
	}
	return d, nil
}

func (f *yamlFile) folderMember(d *Folder, m *ast.MappingValueNode) error {
	name := m.Key.GetToken().Value
	v, ok := value(m.Value)
	if !ok {
		return f.errorAt(m.Value.GetToken(), text{"folders." + name + "：这里要填单个值", "folders." + name + ": this has to be a single value"},
			text{"写成 {path: /data/media}", "write {path: /data/media}"})
	}
	set := choice(func(_ *Config, v string) { d.Type = inspect.Type(v) }, "auto", "video", "file")
	switch name {
	case "path":
		d.Path = f.c.local(v)
		return nil
	case "type":
	case "recursive":
		set = choice(func(_ *Config, v string) { d.Recursive = v == "true" }, "true", "false")
	case "shared":
		set = choice(func(_ *Config, v string) { d.Shared = v == "true" }, "true", "false")
	case "after":
		set = choice(func(_ *Config, v string) { d.After = v }, folder.Keep, folder.Move)
	default:
		return f.unknown("folders."+name, m.Key.GetToken())
	}
	if e := set(f.c, v); e != nil {
		return f.errorAt(m.Value.GetToken(), prefix("folders."+name, e.what), e.remedy)
	}
	return nil
}

// unknown is the error of a key that nobody knows, with the one that was
// probably meant.
func (f *yamlFile) unknown(name string, at *token.Token) error {
	remedy := text{"删掉这一行，可用的键见 README 的配置一节", "remove it; README lists the keys under Configuration"}
	if near := nearest(name, keyNames()); near != "" {
		remedy = text{"是不是想写 " + near + "？", "did you mean " + near + "?"}
	}
	return f.errorAt(at, text{"不认识的键 " + name, "unknown key " + name}, remedy)
}

func keyNames() []string {
	names := append(sections(), "folders", "folders.path", "folders.type", "folders.recursive", "folders.after", "folders.shared")
	for _, k := range keys() {
		names = append(names, k.name)
		if k.byFile() {
			names = append(names, k.name+"_file")
		}
	}
	return names
}

func (f *yamlFile) errorAt(t *token.Token, what, remedy text) error {
	return &ConfigError{At: f.origin(t), What: what, Remedy: remedy}
}

func (f *yamlFile) origin(t *token.Token) origin {
	if t == nil || t.Position == nil {
		return origin{where: f.path}
	}
	line, column := t.Position.Line, t.Position.Column
	o := origin{where: f.path + ":" + strconv.Itoa(line)}
	if line < 1 || line > len(f.lines) {
		return o
	}
	o.source, o.column = strings.TrimRight(f.lines[line-1], "\r"), column
	if masked, ok := mask(o.source); ok {
		o.source = masked
		o.column = min(column, len([]rune(masked))-2) // the dots at the latest
	}
	return o
}

// mask hides the value in a line that may hold a secret: any that is not
// plainly the line of a key which is none. A misspelt key counts as secret.
func mask(line string) (string, bool) {
	name, rest, found := strings.Cut(line, ":")
	name = strings.Trim(name, " \t-{\"'")
	for _, k := range keys() {
		_, leaf, nested := strings.Cut(k.name, ".")
		if found && !k.secret && (name == k.name || nested && name == leaf) && !mentionsSecret(rest) {
			return line, false
		}
	}
	if slices.Contains([]string{"path", "type", "recursive", "after", "folders", "storage"}, name) && !mentionsSecret(rest) {
		return line, false
	}
	if !found {
		return "...", true
	}
	if strings.TrimSpace(rest) == "" {
		return line, false
	}
	return line[:strings.Index(line, ":")+1] + " ...", true
}

func mentionsSecret(s string) bool {
	for _, w := range []string{"secret", "token", "aes_key", "webhook", "proxy", "@"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// readEnv takes the environment over what the file said.
func (c *Config) readEnv(env func(string) string) error {
	for _, k := range keys() {
		v, file := env(k.env), ""
		if k.byFile() {
			file = env(k.env + "_FILE")
		}
		at := origin{where: k.env}
		var err error
		switch {
		case v != "" && file != "":
			err = &ConfigError{At: at,
				What:   text{k.env + " 和 " + k.env + "_FILE 只能设置一个", k.env + " and " + k.env + "_FILE exclude each other"},
				Remedy: text{"去掉其中一个", "unset one of them"}}
		case v != "":
			err = c.put(k, v, false, at)
		case file != "":
			at.where += "_FILE"
			err = c.put(k, file, true, at)
		}
		if err != nil {
			return err
		}
	}
	if v := env("WEDROP_FOLDERS"); v != "" {
		c.Folders = nil
		c.from["folders"] = origin{where: "WEDROP_FOLDERS"}
		for _, path := range filepath.SplitList(v) {
			if path != "" {
				c.Folders = append(c.Folders, Folder{Path: path, Type: inspect.Auto, Recursive: true})
			}
		}
	}
	return nil
}
