package wecomtest

// Inject queues faults for the next calls of an API, "media/upload_by_url"
// for example, or of any API if api is "*". An API's own faults come first.
// A zero Fault lets one call pass.
func (s *Server) Inject(api string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[api] = append(s.faults[api], faults...)
}

// ClearFaults forgets the faults that are still queued.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

func (s *Server) nextFault(api string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{api, "*"} {
		queue := s.faults[name]
		if len(queue) == 0 {
			continue
		}
		f := queue[0]
		switch {
		case f.Times > 1:
			queue[0].Times--
		case f.Times >= 0:
			s.faults[name] = queue[1:]
		}
		return f.first()
	}
	return Fault{}
}

// first keeps the first field that is set, with what belongs to it.
func (f Fault) first() Fault {
	switch {
	case f.Errcode != 0:
		return Fault{Errcode: f.Errcode, Errmsg: f.Errmsg, FromIP: f.FromIP}
	case f.Status != 0:
		return Fault{Status: f.Status, Body: f.Body, Header: f.Header}
	case f.ResetBefore:
		return Fault{ResetBefore: true}
	case f.ResetAfter:
		return Fault{ResetAfter: true}
	case f.Truncate > 0:
		return Fault{Truncate: f.Truncate}
	case f.Slow > 0:
		return Fault{Slow: f.Slow}
	case f.RevokeToken:
		return Fault{RevokeToken: true}
	case f.ExpireToken:
		return Fault{ExpireToken: true}
	case f.Warning:
		return Fault{Warning: true}
	case f.JobErrcode != 0:
		return Fault{JobErrcode: f.JobErrcode}
	case f.JobForever:
		return Fault{JobForever: true}
	case f.JobStatus != 0:
		return Fault{JobStatus: f.JobStatus}
	case f.ResetAt > 0:
		return Fault{ResetAt: f.ResetAt}
	case f.IgnoreRange:
		return Fault{IgnoreRange: true}
	}
	return Fault{WrongTotal: f.WrongTotal}
}
