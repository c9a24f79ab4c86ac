package folder

import (
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"
)

// What wedrop itself leaves in folders. The names are the same in every
// language, so that a folder keeps its own whoever runs wedrop. Files under
// way have hidden names (see scratch).
const (
	ResultsName   = "wedrop-media.csv"
	DoneFolder    = "_已完成"
	RefusedFolder = "_失败"
	reasonSuffix  = ".原因.txt"
)

// Names that are never taken, in lower case. A "push" of such a name is the
// user's word and does not come here.
var (
	hiddenPrefixes = []string{".", "~$", "~syncthing~"} // "." holds ._*, .~*, .~lock.*, .DS_Store too

	// unfinished: downloads, copies and scratch files of programs.
	unfinishedSuffixes = []string{
		".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload",
		".tmp", ".temp", ".aria2", ".!ut", ".!qb", ".swp", ".bak",
		".td", ".xltd", // 迅雷
		".baiduyun.p.downloading",
	}

	systemFiles = []string{"thumbs.db", "desktop.ini"}
	systemDirs  = []string{
		"@eadir", "#recycle", "@recycle", "$recycle.bin", "system volume information",
		"__macosx", // the rest of the list begins with a dot
	}

	ownFiles   = []string{ResultsName}
	ownFolders = []string{DoneFolder, RefusedFolder}
)

// ignored says why a name is not taken, or "" if it may be.
func ignored(name string, dir bool) Reason {
	name = strings.ToLower(name)
	for _, p := range hiddenPrefixes {
		if strings.HasPrefix(name, p) {
			return Silent
		}
	}
	for _, s := range unfinishedSuffixes {
		if strings.HasSuffix(name, s) {
			return Unfinished
		}
	}
	if !dir {
		if slices.Contains(systemFiles, name) || slices.Contains(ownFiles, name) || strings.HasSuffix(name, reasonSuffix) {
			return Silent
		}
		return ""
	}
	if slices.Contains(systemFiles, name) || slices.Contains(systemDirs, name) || slices.Contains(ownFolders, name) {
		return Silent
	}
	return ""
}

// opened tells of the files of one folder which an office program has open:
// it keeps a file of its own beside them. "~$X" is Microsoft's, ".~lock.X#"
// LibreOffice's, ".~X" that of WPS. Word puts its "~$" in the place of the
// first one or two letters of a long name. (All from memory, none of it
// documented: a file that is held back by mistake is taken when the other one
// is closed.)
func opened(entries []fs.DirEntry) func(name string) bool {
	locks := map[string]bool{}
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		for _, p := range []string{"~$", ".~lock.", ".~"} {
			if strings.HasPrefix(name, p) && e.Type().IsRegular() {
				locks[name] = true
				break
			}
		}
	}
	return func(name string) bool {
		if len(locks) == 0 {
			return false
		}
		name = strings.ToLower(name)
		return locks["~$"+name] || locks[".~lock."+name+"#"] || locks[".~"+name] || locks[wordLock(name)]
	}
}

// wordLock is the name that Word gives its file beside a document with a long
// name; "" for others.
func wordLock(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || !strings.HasPrefix(name[i:], ".do") && name[i:] != ".rtf" {
		return ""
	}
	drop := utf8.RuneCountInString(name[:i]) - 6
	for range min(max(drop, 0), 2) {
		_, n := utf8.DecodeRuneInString(name)
		name = name[n:]
	}
	return "~$" + name
}
