package journal

// A FullError says that the disk under the ledger is full. What was recorded
// stays; nothing goes on before there is room again.
type FullError struct {
	Path string
	Err  error // SQLite's
}

func (e *FullError) Error() string { return e.Path + ": " + e.Err.Error() }

func (e *FullError) Unwrap() error { return e.Err }

// Explain says in "zh" or "en" what happened and what to do now.
func (e *FullError) Explain(lang string) (message, remedy string) {
	if lang == "zh" {
		return "磁盘满了，账本 " + e.Path + " 写不进去。", "在这个磁盘上腾出空间，再运行同样的命令；已完成的不会丢，会接着做。"
	}
	return "the disk is full: the ledger " + e.Path + " cannot be written", "make room on that disk, then run the same command again; nothing that was done is lost"
}
