package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"wedrop/pipeline"
	"wedrop/pipeline/journal"
	"wedrop/storage"
	"wedrop/wecom"
)

// Every text of the catalogue is there in both languages, is Chinese where it
// says so, and puts what it is given into the sentence.
func TestEveryMessageIsThereInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"zh", "en"} {
		walk(t, lang, "messages", reflect.ValueOf(*newMessages(lang)))
	}
}

// sameInBoth are texts without words in them.
var sameInBoth = []string{"Lang", "Example", "Columns", "DemoColumns"}

func walk(t *testing.T, lang, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			walk(t, lang, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		require.NotZero(t, v.Len(), path)
		for i := range v.Len() {
			walk(t, lang, path, v.Index(i))
		}
	case reflect.Func:
		require.False(t, v.IsNil(), "%s is missing in %s", path, lang)
		walk(t, lang, path, v.Call(samples(v.Type()))[0])
	case reflect.String:
		checkText(t, lang, path, v.String())
	default:
		t.Fatalf("%s is a %s: teach the test about it", path, v.Kind())
	}
}

// samples are arguments that are no words of any language.
func samples(f reflect.Type) (in []reflect.Value) {
	for i := range f.NumIn() {
		switch f.In(i) {
		case reflect.TypeFor[string]():
			in = append(in, reflect.ValueOf("7"))
		case reflect.TypeFor[int]():
			in = append(in, reflect.ValueOf(7))
		case reflect.TypeFor[time.Duration]():
			in = append(in, reflect.ValueOf(7*time.Second))
		default:
			in = append(in, reflect.Zero(f.In(i)))
		}
	}
	return in
}

func checkText(t *testing.T, lang, path, s string) {
	name := path[strings.LastIndex(path, ".")+1:]
	if name == "Long" || path == "messages.Root.Short" { // without one Short is shown, and the other way round
		return
	}
	require.NotEmpty(t, s, "%s is missing in %s", path, lang)
	require.NotContains(t, s, "%!", path)
	for _, same := range sameInBoth {
		if name == same {
			return
		}
	}
	require.Equal(t, lang == "zh", strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }),
		"%s in %s: %q", path, lang, s)
}

// What ends a command is told with a remedy, in both languages.
func TestEveryErrorHasARemedy(t *testing.T) {
	t.Parallel()
	held := pipeline.Item{Name: "a", Fault: &pipeline.Fault{Message: pipeline.Text{ZH: "坏", EN: "bad"}, Remedy: pipeline.Text{ZH: "修", EN: "mend"}}}
	for name, err := range map[string]error{
		"not found": &pipeline.NotFoundError{Name: "a"},
		"ambiguous": &pipeline.AmbiguousError{Name: "a", Items: []pipeline.Item{{}, {}}},
		"held":      &pipeline.FaultError{Item: held},
		"full disk": &journal.FullError{Path: "a.db", Err: errors.New("full")},
		"stopped":   &pipeline.StopError{Fault: *held.Fault},
		"late":      &notReadyError{time.Minute},
		"bucket":    &storage.Error{Op: "put", Kind: storage.Denied},
		"wecom":     &wecom.Error{API: "gettoken", Code: 40013},
		"config":    &ConfigError{What: text{"坏", "bad"}, Remedy: text{"修", "mend"}},
	} {
		for _, lang := range []string{"zh", "en"} {
			what, remedy := explain(err, newMessages(lang))
			require.NotEmpty(t, what, "%s in %s", name, lang)
			require.NotEmpty(t, remedy, "%s in %s", name, lang)
		}
	}
	for _, k := range keys() {
		require.NotEmpty(t, howToSet(k.name).In("zh"))
		require.Contains(t, howToSet(k.name).In("en"), k.env)
	}
}
