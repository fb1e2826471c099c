package circlecitest

import (
	"fmt"
	"net/http"
	"time"
)

// faultDocument is a fault by name, with its limits.
type faultDocument struct {
	Fault string `yaml:"fault"`
	// Only for some faults.
	Status   int               `yaml:"status"`
	Delay    documentDuration  `yaml:"delay"`
	Requests int               `yaml:"requests"`
	Per      documentDuration  `yaml:"per"`
	Header   map[string]string `yaml:"header"`
	Body     string            `yaml:"body"`
	CutAfter int64             `yaml:"cut_after"`
	// For all faults.
	For      []string         `yaml:"for"`
	Share    documentFraction `yaml:"share"`
	Skip     int              `yaml:"skip"`
	Times    int              `yaml:"times"`
	From     time.Time        `yaml:"from"`
	Until    time.Time        `yaml:"until"`
	Executed bool             `yaml:"executed"`
}

func (d *faultDocument) fault() (f *Fault, err error) {
	switch d.Fault {
	case "server_error":
		f = ServerError(d.Status)
	case "broken_connection":
		f = BrokenConnection()
	case "truncated_body":
		f = TruncatedBody()
	case "edge_block":
		f = EdgeBlock()
	case "expired_token":
		f = ExpiredToken()
	case "latency":
		f = Latency(time.Duration(d.Delay))
	case "rate_limit":
		f = RateLimit(d.Requests, time.Duration(d.Per))
	case "repeated_page":
		f = RepeatedPage()
	case "stuck_token":
		f = StuckToken()
	case "storage_redirect":
		f = StorageRedirect()
	case "answer":
		header := http.Header{}
		for name, value := range d.Header {
			header.Set(name, value)
		}
		f = Answer(Response{Status: d.Status, Header: header, Body: d.Body, Latency: time.Duration(d.Delay), CutAfter: d.CutAfter})
	default:
		return nil, fmt.Errorf("circlecitest: weather: there is no fault %q", d.Fault)
	}
	if len(d.For) > 0 {
		f.For(d.For...)
	}
	if d.Share > 0 {
		f.Share(float64(d.Share))
	}
	if d.Skip > 0 {
		f.Skip(d.Skip)
	}
	if d.Times > 0 {
		f.Times(d.Times)
	}
	if !d.From.IsZero() {
		f.From(d.From)
	}
	if !d.Until.IsZero() {
		f.Until(d.Until)
	}
	if d.Executed {
		f.Executed()
	}
	return f, nil
}
