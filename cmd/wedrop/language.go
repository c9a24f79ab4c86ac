package main

import "strings"

// language is what the program speaks: --lang, else WEDROP_LANG, else the
// configuration, else the locale. It is found before anything is parsed, so
// that help and usage errors speak it too; whatever is wrong with its sources
// is told by those who read them for their own sake.
func language(args []string, env func(string) string) string {
	if l := known(flagValue(args, "--lang")); l != "" {
		return l
	}
	if l := known(env("WEDROP_LANG")); l != "" {
		return l
	}
	if path, _ := configPath(flagValue(args, "--config"), env); path != "" {
		c := &Config{from: map[string]origin{}}
		_ = c.readFile(path, true)
		if c.Lang != "" {
			return c.Lang
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			return locale(v)
		}
	}
	return "en"
}

func known(l string) string {
	if l == "zh" || l == "en" {
		return l
	}
	return ""
}

func locale(v string) string {
	if strings.HasPrefix(strings.ToLower(v), "zh") {
		return "zh"
	}
	return "en"
}

// flagValue is the value of a flag in arguments that nobody has parsed yet.
func flagValue(args []string, name string) string {
	v := ""
	for i, a := range args {
		if a == "--" {
			break
		}
		if rest, ok := strings.CutPrefix(a, name+"="); ok {
			v = rest
		} else if a == name && i+1 < len(args) {
			v = args[i+1]
		}
	}
	return v
}
