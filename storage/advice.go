package storage

// Advice is what people are told in place of the general texts: the switch of
// a service that this failure is about. An empty field leaves the general text.
// {bucket}, {key}, {url} and {detail} are filled in.
type Advice struct{ ZH, ZHRemedy, EN, ENRemedy string }

// An Adviser is a Driver that knows the switches of its services.
type Adviser interface {
	// Advice returns what e is about at this service; nil: nothing of its
	// own. e has what the service said (Fault), or what the proof saw
	// (Detail).
	Advice(e *Error) *Advice
}

// advised is e with what the driver has to say of it.
func (b *Bucket) advised(e *Error) *Error {
	if a, ok := b.driver.(Adviser); ok {
		e.Advice = a.Advice(e)
	}
	return e
}

// over is t with what a has to say in its place.
func (a *Advice) over(t text) text {
	if a == nil {
		return t
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&t.zh, a.ZH}, {&t.zhRemedy, a.ZHRemedy}, {&t.en, a.EN}, {&t.enRemedy, a.ENRemedy}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	return t
}
