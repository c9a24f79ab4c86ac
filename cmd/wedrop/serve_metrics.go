package main

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"wedrop/pipeline"
	"wedrop/pipeline/folder"
	"wedrop/wecom"
)

// figures are what /metrics shows. They outlive a change of the configuration,
// so that counters only grow.
type figures struct {
	registry *prometheus.Registry
	steps    *prometheus.HistogramVec
	faults   *prometheus.CounterVec
	files    *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	calls    *prometheus.CounterVec
	callTime *prometheus.HistogramVec
	robot    *prometheus.CounterVec
	last     prometheus.Gauge
	reloads  *prometheus.CounterVec
	ledger   *ledgerFigures
}

func newFigures() *figures {
	seconds := []float64{.005, .02, .1, .5, 1, 2, 5, 10, 30, 60, 300}
	f := &figures{
		registry: prometheus.NewRegistry(),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "wedrop_step_seconds", Buckets: seconds,
			Help: "Time of the steps that this process did."}, []string{"step"}),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wedrop_step_faults_total",
			Help: "Steps that did not go well, by the code of the fault."}, []string{"step", "code"}),
		files: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wedrop_files_total",
			Help: "Files that came to their end: done, reused or held."}, []string{"result", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wedrop_bytes_total",
			Help: "Size of the files that went through inspect (read) or stage (in the bucket)."}, []string{"step"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wedrop_wecom_calls_total",
			Help: "Calls of WeCom by API and errcode, or by what came instead of an answer."}, []string{"api", "errcode"}),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "wedrop_wecom_call_seconds", Buckets: seconds,
			Help: "Time of the calls of WeCom."}, []string{"api"}),
		robot: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wedrop_notifications_total",
			Help: "Messages to the group robot."}, []string{"result"}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{Name: "wedrop_last_success_timestamp_seconds",
			Help: "When a media_id came last."}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wedrop_reloads_total",
			Help: "Changes of the configuration: taken or refused."}, []string{"result"}),
		ledger: &ledgerFigures{},
	}
	f.registry.MustRegister(f.steps, f.faults, f.files, f.bytes, f.calls, f.callTime, f.robot, f.last, f.reloads, f.ledger,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return f
}

func (f *figures) handler() http.Handler {
	return promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}

// step is pipeline.Pipeline.Observe.
func (f *figures) step(step pipeline.Step, took time.Duration, fault *pipeline.Fault) {
	f.steps.WithLabelValues(string(step)).Observe(took.Seconds())
	if fault != nil {
		f.faults.WithLabelValues(string(step), fault.Code).Inc()
	}
}

// changed is for pipeline.Pipeline.Changed.
func (f *figures) changed(it pipeline.Item) {
	switch {
	case it.Fault != nil:
	case it.Step == pipeline.Stage:
		f.bytes.WithLabelValues("inspect").Add(float64(it.Size))
	case it.Step == pipeline.Submit:
		f.bytes.WithLabelValues("stage").Add(float64(it.Size))
	}
}

// called is wecom.Config.Observe.
func (f *figures) called(api string, code wecom.Code, kind wecom.Kind, took time.Duration) {
	how := strconv.Itoa(int(code))
	if kind != wecom.KindAnswer {
		how = string(kind)
	}
	f.calls.WithLabelValues(api, how).Inc()
	f.callTime.WithLabelValues(api).Observe(took.Seconds())
}

// ledgerFigures are read when somebody asks, but no more often than is good
// for the ledger: counting a million rows takes its time.
type ledgerFigures struct {
	mu      sync.Mutex
	line    *line           // nil: closed
	watcher *folder.Watcher // nil: no folders
	next    time.Time       // not before it
	stats   []pipeline.Stat // as last read
	dies    map[string]int  // media_ids by how soon they die
}

// soon are the labels of wedrop_media_expiring: media_ids that die within it.
var soon = []struct {
	label  string
	within time.Duration
}{{"1h", time.Hour}, {"12h", 12 * time.Hour}, {"24h", 24 * time.Hour}, {"72h", wecom.MediaLife}}

var (
	itemsDesc    = prometheus.NewDesc("wedrop_items", "Files in the ledger by the step that they wait for and the fault that stopped them; held ones wait for a person.", []string{"step", "code", "held"}, nil)
	expiringDesc = prometheus.NewDesc("wedrop_media_expiring", "Live media_ids that expire within that time.", []string{"within"}, nil)
	flyingDesc   = prometheus.NewDesc("wedrop_in_flight", "Files that this process works on now.", nil, nil)
	waitingDesc  = prometheus.NewDesc("wedrop_settle_waiting", "Files in the folders that are still being written.", nil, nil)
	foldersDesc  = prometheus.NewDesc("wedrop_folder_up", "Whether a folder can be read.", []string{"folder"}, nil)
)

// of makes the figures those of another line, or of none.
func (l *ledgerFigures) of(line *line, w *folder.Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line, l.watcher, l.next = line, w, time.Time{}
}

// Describe is for the registry.
func (l *ledgerFigures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{itemsDesc, expiringDesc, flyingDesc, waitingDesc, foldersDesc} {
		ch <- d
	}
}

// Collect is for the registry.
func (l *ledgerFigures) Collect(ch chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	l.read()
	for _, s := range l.stats {
		gauge(itemsDesc, s.N, string(s.Step), s.Code, strconv.FormatBool(s.Held))
	}
	for _, s := range soon {
		gauge(expiringDesc, l.dies[s.label], s.label)
	}
	gauge(flyingDesc, len(l.line.Flights()))
	if l.watcher == nil {
		return
	}
	snap := l.watcher.Snapshot()
	gauge(waitingDesc, len(snap.Waiting))
	for _, f := range snap.Folders {
		up := 1
		if f.Err != nil {
			up = 0
		}
		gauge(foldersDesc, up, f.Path)
	}
}

// read counts what is in the ledger. If it does not answer, the figures stay
// as they were; /readyz tells of that.
func (l *ledgerFigures) read() {
	begin := time.Now()
	if begin.Before(l.next) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if stats, err := l.line.Journal.Stats(ctx, l.line.Corp); err == nil {
		l.stats = stats
	}
	if now, err := l.line.Journal.Now(ctx); err == nil {
		l.dies = map[string]int{}
		l.count(ctx, now)
	}
	l.next = time.Now().Add(min(max(50*time.Since(begin), time.Second), 5*time.Minute))
}

func (l *ledgerFigures) count(ctx context.Context, now time.Time) {
	q := pipeline.Query{Corp: l.line.Corp, Alive: now, Expiring: now.Add(wecom.MediaLife + time.Hour), Limit: pageSize}
	for {
		items, err := l.line.Journal.Items(ctx, q)
		for _, it := range items {
			for _, s := range soon {
				if it.Media.ExpiresAt.Sub(now) <= s.within {
					l.dies[s.label]++
				}
			}
			q.After = it.ID
		}
		if err != nil || len(items) < pageSize {
			return
		}
	}
}

// leave ends the figures of a line that is about to be closed, unless they are
// another's by now.
func (l *ledgerFigures) leave(line *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line == line {
		l.line, l.watcher = nil, nil
	}
}

// ended counts a file that came to its end.
func (f *figures) ended(e ending) {
	if fault := e.item.Fault; fault != nil {
		f.files.WithLabelValues("held", fault.Code).Inc()
		return
	}
	result := "done"
	if e.reused {
		result = "reused"
	}
	f.files.WithLabelValues(result, "").Inc()
	f.last.SetToCurrentTime()
}
