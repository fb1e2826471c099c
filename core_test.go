package circleci_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// canary is a token that must not show up anywhere.
const canary = "CANARY"

// reply is what a fakeWire answers: an HTTP response, or a broken connection.
type reply struct {
	status int
	header http.Header
	body   string
	tail   io.Reader     // goes on with the body
	after  time.Duration // until the response begins
	err    error
}

// answers is a reply with JSON; headers are pairs of a name and a value.
func answers(status int, body string, headers ...string) reply {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return reply{status: status, body: body, header: h}
}

// breaks is a connection that breaks off before there is an answer.
func breaks(err error) reply { return reply{err: err} }

func (r reply) later(d time.Duration) reply {
	r.after = d
	return r
}

// sentRequest is a request as it went over the wire.
type sentRequest struct {
	Method, URL string
	Header      http.Header
	Body        string
	HasBody     bool
}

// fakeWire is a network with one server, in memory. It remembers the requests.
type fakeWire struct {
	answer func(req *http.Request, n int) reply // n counts from 1

	mu   sync.Mutex
	sent []sentRequest
}

// replies answers one request after the other. A request too many finds a
// broken connection.
func replies(all ...reply) *fakeWire {
	return &fakeWire{answer: func(_ *http.Request, n int) reply {
		if n > len(all) {
			return breaks(fmt.Errorf("request %d is one more than the test has answers for", n))
		}
		return all[n-1]
	}}
}

// always gives the same answer again and again.
func always(r reply) *fakeWire {
	return &fakeWire{answer: func(*http.Request, int) reply { return r }}
}

func (w *fakeWire) RoundTrip(req *http.Request) (*http.Response, error) {
	one := sentRequest{Method: req.Method, URL: req.URL.String(), Header: req.Header.Clone(), HasBody: req.Body != nil}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close() // in memory
		one.Body = string(body)
	}
	w.mu.Lock()
	w.sent = append(w.sent, one)
	n := len(w.sent)
	w.mu.Unlock()
	r := w.answer(req, n)
	if r.after > 0 {
		select {
		case <-time.After(r.after):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	body := io.Reader(strings.NewReader(r.body))
	if r.tail != nil {
		body = io.MultiReader(body, r.tail)
	}
	return &http.Response{
		StatusCode: r.status, Header: r.header, Body: io.NopCloser(body), Request: req, ContentLength: -1,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// requests returns what has been sent so far.
func (w *fakeWire) requests() []sentRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sentRequest(nil), w.sent...)
}

// only returns the one request that is to have been sent.
func (w *fakeWire) only(t testing.TB) sentRequest {
	t.Helper()
	all := w.requests()
	require.Len(t, all, 1, "requests sent")
	return all[0]
}

// client returns a client on this network, with the canary for a token. It
// does not retry, unless a later option says so.
func (w *fakeWire) client(t testing.TB, opts ...circleci.Option) *circleci.Client {
	t.Helper()
	all := append([]circleci.Option{
		circleci.WithHTTPClient(&http.Client{Transport: w}),
		circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}),
	}, opts...)
	c, err := circleci.NewClient(canary, all...)
	require.NoError(t, err)
	return c
}

// retrying has the defaults of the package.
func retrying() circleci.Option { return circleci.WithRetry(circleci.RetryPolicy{}) }

// requireError returns the error of type T in err.
func requireError[T error](t testing.TB, err error) T {
	t.Helper()
	var found T
	require.ErrorAs(t, err, &found)
	return found
}

// assertOneLine fails if an error would break a line of a log, or fill it.
func assertOneLine(t testing.TB, err error) {
	t.Helper()
	text := err.Error()
	assert.NotRegexp(t, `[\x00-\x1f\x7f\x{80}-\x{9f}\x{2028}\x{2029}]`, text, "an error is one line of text")
	assert.Less(t, len(text), 1500, "an error is short")
	assert.True(t, strings.HasPrefix(text, "circleci: "), "an error tells where it comes from: %s", text)
}

// errNet is a network's error.
var errNet = errors.New("connection reset by peer")

// assertHidden fails if v, however it is printed, shows secret.
func assertHidden(t testing.TB, secret string, v any) {
	t.Helper()
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v, slog.Group("g", slog.Any("v", v)))
	slog.New(slog.NewJSONHandler(&object, nil)).Info("m", "v", v, slog.Group("g", slog.Any("v", v)))
	shown := map[string]string{"slog text": text.String(), "slog JSON": object.String()}
	if data, err := json.Marshal(v); err == nil { // a client cannot be written, and need not be
		shown["encoding/json"] = string(data)
	} else {
		shown["encoding/json"] = err.Error()
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%o", "%U", "%c", "%10.3v"} {
		shown[verb] = fmt.Sprintf(verb, v)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		shown[verb+" in a slice"] = fmt.Sprintf(verb, []any{v})
	}
	for how, output := range shown {
		for form, leak := range formsOf(secret) {
			assert.NotContains(t, output, leak, "%T printed with %s shows the secret as %s", v, how, form)
		}
	}
}

// formsOf are the ways in which a text shows in a dump.
func formsOf(secret string) map[string]string {
	bytewise := func(verb, separator string) string {
		var all []string
		for _, c := range []byte(secret) {
			all = append(all, fmt.Sprintf(verb, c))
		}
		return strings.Join(all, separator)
	}
	return map[string]string{
		"text": secret, "hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"spaced hex": bytewise("%x", " "), "numbers": bytewise("%d", " "), "Go bytes": bytewise("0x%x", ", "),
		"octal": bytewise("%o", " "), "characters": bytewise("%c", " "), "code points": bytewise("%U", " "),
	}
}

// assertUnreachable fails if a dumper that follows each pointer, interface and
// unexported field comes upon secret.
func assertUnreachable(t testing.TB, secret string, v any) {
	t.Helper()
	d := dumper{seen: map[visit]bool{}}
	d.walk(reflect.ValueOf(v), fmt.Sprintf("%T", v))
	require.NotEmpty(t, d.found, "the dumper finds nothing at all in %T", v)
	for path, text := range d.found {
		assert.NotContains(t, text, secret, "a dump shows the secret at %s", path)
	}
}

type visit struct {
	at   uintptr
	kind reflect.Type
}

type dumper struct {
	seen  map[visit]bool
	found map[string]string // text by path
}

func (d *dumper) walk(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || d.seen[visit{v.Pointer(), v.Type()}] {
			return
		}
		d.seen[visit{v.Pointer(), v.Type()}] = true
		d.walk(v.Elem(), path)
	case reflect.Interface:
		if !v.IsNil() {
			d.walk(v.Elem(), path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			d.walk(v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			d.walk(entries.Key(), path+"[key]")
			d.walk(entries.Value(), fmt.Sprintf("%s[%v]", path, entries.Key()))
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			d.text(path, string(v.Bytes()))
			return
		}
		for i := range v.Len() {
			d.walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.String:
		d.text(path, v.String())
	default: // numbers, functions, channels: nothing to read
	}
}

func (d *dumper) text(path, text string) {
	if d.found == nil {
		d.found = map[string]string{}
	}
	d.found[path] = text
}

func TestTheDumperFindsWhatIsHidden(t *testing.T) {
	type inner struct{ hidden any }
	text := canary
	d := dumper{seen: map[visit]bool{}}
	d.walk(reflect.ValueOf(&inner{map[string][]*inner{"k": {{[]byte("x" + canary)}, {&text}}}}), "v")
	assert.Equal(t, map[string]string{
		"v.hidden[key]": "k", "v.hidden[k][0].hidden": "x" + canary, "v.hidden[k][1].hidden": canary,
	}, d.found)
}
