package circleci_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// faults are the bad days that this package is made for. Each is met by three
// kinds of call: a get, the walk over a list, whose second page meets the
// fault, and a create. The first two are reads; what they get differs in that
// a walk has handed over its first page.
//
// A number is that of the requests that were sent, connections that could not
// be made included.
var faults = []struct {
	name   string
	server script
	reads  outcome
	create outcome
}{
	// The server refuses for the sake of its limit: it has not acted.
	{"429 with seconds to wait", once(limit("Retry-After", "7")), fine(2).in(7 * time.Second), fine(2).in(7 * time.Second)},
	{
		"429 with a fraction of a second", once(limit("Retry-After", "1.5")),
		fine(2).in(1500 * time.Millisecond), fine(2).in(1500 * time.Millisecond),
	},
	{"429 with a date", once(limit("Retry-After", tenSecondsOn)), fine(2).in(10 * time.Second), fine(2).in(10 * time.Second)},
	{"429 with a date that has been", once(limit("Retry-After", yesterday)), fine(2).in(soon), fine(2).in(soon)},
	{"429 with two times", once(limit("Retry-After", "7", "Retry-After", "900")), fine(2).in(7 * time.Second), fine(2).in(7 * time.Second)},
	{"429 without a time", once(limit()), fine(2).in(time.Second), fine(2).in(time.Second)},
	{"429 with a time that is none", once(limit("Retry-After", "soon")), fine(2).in(time.Second), fine(2).in(time.Second)},
	{"429 with a time below zero", once(limit("Retry-After", "-5")), fine(2).in(soon), fine(2).in(soon)},
	{
		"429 with the time of its window alone", once(limit("X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "30")),
		fine(2).in(30 * time.Second), fine(2).in(30 * time.Second),
	},
	{
		"429 for good", forever(limit("Retry-After", "2")),
		refused(4, 429, circleci.ErrRateLimited).in(6 * time.Second).wait(2 * time.Second),
		refused(4, 429, circleci.ErrRateLimited).in(6 * time.Second).wait(2 * time.Second),
	},
	{
		"429 for longer than anyone waits", once(limit("Retry-After", "3600")),
		refused(1, 429, circleci.ErrRateLimited).wait(time.Hour), refused(1, 429, circleci.ErrRateLimited).wait(time.Hour),
	},
	{
		"429 until the end of days", once(limit("Retry-After", "1e300")),
		refused(1, 429, circleci.ErrRateLimited).wait(31 * 24 * time.Hour), refused(1, 429, circleci.ErrRateLimited).wait(31 * 24 * time.Hour),
	},
	{
		"429 for longer than the caller's deadline", once(limit("Retry-After", "60")).deadline(time.Minute),
		refused(1, 429, circleci.ErrRateLimited).wait(time.Minute), refused(1, 429, circleci.ErrRateLimited).wait(time.Minute),
	},
	{
		"429, and the caller gives up meanwhile", once(limit("Retry-After", "60")).canceled(3 * time.Second),
		unanswered(1, context.Canceled).in(3 * time.Second),
		unanswered(1, context.Canceled).in(3 * time.Second),
	},
	{"403 of the edge, a page", once(page(403, "Attention Required")), fine(2).in(time.Second), fine(2).in(time.Second)},
	{
		"403 of the edge for good", forever(page(403, "Attention Required")),
		refused(4, 403, circleci.ErrRateLimited, circleci.ErrForbidden).in(3 * time.Second).says("Attention Required"),
		refused(4, 403, circleci.ErrRateLimited, circleci.ErrForbidden).in(3 * time.Second).says("Attention Required"),
	},
	{
		"403 of the API", once(says(403, `{"message":"no"}`)),
		refused(1, 403, circleci.ErrForbidden).says("no"), refused(1, 403, circleci.ErrForbidden).says("no"),
	},

	// The server has trouble: it may have acted.
	{"408", once(says(408, "")), fine(2).in(soon), refused(1, 408)},
	{"500", once(says(500, `{"message":"oops"}`)), fine(2).in(soon), refused(1, 500, circleci.ErrServer).says("oops")},
	{"502, a page", once(page(502, "Bad Gateway")), fine(2).in(soon), refused(1, 502, circleci.ErrServer).says("Bad Gateway")},
	{"503", once(says(503, "")), fine(2).in(soon), refused(1, 503, circleci.ErrServer)},
	{
		"503 with seconds to wait", once(says(503, "", "Retry-After", "20")),
		fine(2).in(20 * time.Second), refused(1, 503, circleci.ErrServer).wait(20 * time.Second),
	},
	{
		"503 for longer than anyone waits", once(says(503, "", "Retry-After", "3600")),
		refused(1, 503, circleci.ErrServer).wait(time.Hour), refused(1, 503, circleci.ErrServer).wait(time.Hour),
	},
	{"504", once(says(504, "")), fine(2).in(soon), refused(1, 504, circleci.ErrServer)},
	{"529, which nobody has defined", once(says(529, "")), fine(2).in(soon), refused(1, 529, circleci.ErrServer)},
	{
		"three kinds of trouble", once(says(500, ""), says(502, "").thenHangsUp(), isDown(errDial)),
		fine(4).in(thrice), refused(1, 500, circleci.ErrServer),
	},
	{
		"500 for good", forever(says(500, `{"message":"oops"}`)),
		refused(4, 500, circleci.ErrServer).in(thrice).says("oops"), refused(1, 500, circleci.ErrServer),
	},
	{
		"500, and then no server at all", forever(says(500, "").thenHangsUp(), isDown(errDial)),
		unanswered(4, errDial, circleci.ErrServer).in(thrice), refused(1, 500, circleci.ErrServer),
	},
	{
		"500, and the deadline is near", once(says(500, "")).deadline(100 * time.Millisecond),
		refused(1, 500, circleci.ErrServer), refused(1, 500, circleci.ErrServer),
	},

	// The server knows what it says.
	{"400", once(says(400, `{"message":"bad"}`)), refused(1, 400).says("bad"), refused(1, 400).says("bad")},
	{
		"401", once(says(401, `{"message":"You must log in first."}`)),
		refused(1, 401, circleci.ErrUnauthorized), refused(1, 401, circleci.ErrUnauthorized),
	},
	{
		"404 of a router, in words", once(says(404, "404 page not found\n", "Content-Type", "text/plain")),
		refused(1, 404, circleci.ErrNotFound), refused(1, 404, circleci.ErrNotFound),
	},
	{"409", once(says(409, "")), refused(1, 409, circleci.ErrConflict), refused(1, 409, circleci.ErrConflict)},
	{"410", once(says(410, "")), refused(1, 410, circleci.ErrGone), refused(1, 410, circleci.ErrGone)},
	{"501", once(says(501, "")), refused(1, 501, circleci.ErrServer), refused(1, 501, circleci.ErrServer)},
	{"505", once(says(505, "")), refused(1, 505, circleci.ErrServer), refused(1, 505, circleci.ErrServer)},
	{"304 to a question nobody asked", once(says(304, "")), refused(1, 304), refused(1, 304)},
	{"999", once(says(999, "")), refused(1, 999), refused(1, 999)},

	// There is no connection: nothing has been sent.
	{"connection refused", once(isDown(errDial)), fine(2).in(soon), fine(2).in(soon)},
	{
		"connection refused for good", forever(isDown(errDial)),
		unanswered(4, errConnectionRefused).in(thrice), unanswered(4, errConnectionRefused).in(thrice),
	},
	{"a dial that takes too long", once(isDown(&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded})), fine(2).in(soon), fine(2).in(soon)},
	{"a name server that is down", once(isDown(dnsError("server misbehaving"))), fine(2).in(soon), fine(2).in(soon)},
	{"no such host", once(isDown(dnsError("no such host"))), unanswered(1).says("no such host"), unanswered(1).says("no such host")},
	{
		"a server that stays silent in the TLS handshake", once(tlsSilence).overTLS(),
		fine(2).in(10 * time.Second), fine(2).in(10 * time.Second),
	},
	{"a server that hangs up in the TLS handshake", once(tlsHangUp).overTLS(), fine(2).in(soon), unanswered(1)},
	{
		"a server that speaks no TLS", once(tlsPlain).overTLS(),
		unanswered(1).says("HTTP response to HTTPS client"), unanswered(1).says("HTTP response to HTTPS client"),
	},
	{"a certificate of somebody", once(tlsStranger).overTLS(), unanswered(1).says("certificate"), unanswered(1).says("certificate")},

	// The connection breaks.
	{"a connection closed without an answer", once(speaks("").thenHangsUp()), fine(2).in(soon), unanswered(1, io.EOF)},
	{
		"a connection closed without an answer, for good", forever(speaks("").thenHangsUp()),
		unanswered(4, io.EOF).in(thrice), unanswered(1, io.EOF),
	},
	{
		"a connection closed in the header", once(speaks("HTTP/1.1 200 OK\r\nConnection: close\r\n").thenHangsUp()),
		fine(2).in(soon), unanswered(1, io.ErrUnexpectedEOF),
	},
	{
		"a body cut before its length", once(speaks(header(200, "Content-Length", "100") + `{"name":`).thenHangsUp()),
		fine(2).in(soon), unanswered(1, io.ErrUnexpectedEOF),
	},
	{
		"a body cut before its length, for good", forever(speaks(header(200, "Content-Length", "100") + `{"name":`).thenHangsUp()),
		unanswered(4, io.ErrUnexpectedEOF).in(thrice), unanswered(1, io.ErrUnexpectedEOF),
	},
	{
		"a body cut in a chunk", once(speaks(header(200, "Transfer-Encoding", "chunked") + "20\r\n{").thenHangsUp()),
		fine(2).in(soon), unanswered(1, io.ErrUnexpectedEOF),
	},
	{
		"an error's body cut", once(speaks(header(404, "Content-Length", "100") + `{"message":"no such th`).thenHangsUp()),
		refused(1, 404, circleci.ErrNotFound).says("no such th"), refused(1, 404, circleci.ErrNotFound),
	},
	{"an answer that is no HTTP", once(speaks("+PONG\r\n").thenHangsUp()), fine(2).in(soon), unanswered(1).says("malformed HTTP")},
	{
		"a header without end", once(speaks("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 11<<20)).thenHangsUp()),
		fine(2).in(soon), unanswered(1),
	},
	{"gzip that is none", once(says(200, "{}", "Content-Encoding", "gzip")), fine(2).in(soon), unanswered(1)},
	{
		"gzip with a bit flipped", once(says(200, flipped(packed(good)), "Content-Encoding", "gzip")),
		fine(2).in(soon), unanswered(1, gzip.ErrChecksum),
	},
	{"gzip that is cut", once(says(200, packed(good)[:40], "Content-Encoding", "gzip")), fine(2).in(soon), unanswered(1, io.ErrUnexpectedEOF)},

	// The server says nothing. The caller has set no time limit.
	{"a dial without end", once(neverConnects()), fine(2).in(time.Minute), unanswered(1).in(time.Minute).says("nothing arrived for 1m0s")},
	{
		"a server that accepts and says nothing", once(speaks("").thenIsSilent()),
		fine(2).in(time.Minute), unanswered(1).in(time.Minute).says("nothing arrived for 1m0s"),
	},
	{
		"a server that says nothing for good", forever(speaks("").thenIsSilent()),
		unanswered(4).in(4*time.Minute + thrice).says("nothing arrived for 1m0s"), unanswered(1).in(time.Minute),
	},
	{"silence in the header", once(speaks("HTTP/1.1 200 OK\r\nCont").thenIsSilent()), fine(2).in(time.Minute), unanswered(1).in(time.Minute)},
	{
		"a header that drips", once(drips(10*time.Second, "HTTP/1.1 200 OK\r\n", headerLines(100)...)),
		fine(2).in(time.Minute), unanswered(1).in(time.Minute),
	},
	{
		"silence in the body", once(speaks(header(200, "Content-Length", "100") + `{"name":`).thenIsSilent()),
		fine(2).in(time.Minute), unanswered(1).in(time.Minute),
	},
	{
		"a body that drips, and comes to an end", once(drips(50*time.Second, header(200, "Connection", "close"), good[:9], good[9:30], good[30:40], good[40:50], good[50:60], good[60:]).thenHangsUp()),
		fine(1).in(300 * time.Second), fine(1).in(300 * time.Second),
	},
	{
		"silence in an error's body", once(speaks(header(404, "Content-Length", "100") + `{"mess`).thenIsSilent()),
		refused(1, 404, circleci.ErrNotFound).in(time.Minute), refused(1, 404, circleci.ErrNotFound).in(time.Minute),
	},
	{
		"an error's body that drips", once(drips(10*time.Second, header(400, "Content-Length", "100"), strings.Split(strings.Repeat("x", 100), "")...)),
		refused(1, 400).in(time.Minute), refused(1, 400).in(time.Minute),
	},
	{
		"a switch of protocols, and silence", once(speaks("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").thenIsSilent()),
		refused(1, 101), refused(1, 101),
	},
	{
		"silence for longer than an option allows", once(speaks("").thenIsSilent()).with(circleci.WithIdleTimeout(5 * time.Second)),
		fine(2).in(5 * time.Second), unanswered(1).in(5 * time.Second).says("nothing arrived for 5s"),
	},

	// The caller gives up, or has set a deadline. Both are obeyed at once.
	{"given up before it began", once().canceled(0), unanswered(0, context.Canceled), unanswered(0, context.Canceled)},
	{
		"given up while dialing", once(neverConnects()).canceled(3 * time.Second),
		unanswered(1, context.Canceled).in(3 * time.Second), unanswered(1, context.Canceled).in(3 * time.Second),
	},
	{
		"given up in the TLS handshake", once(tlsSilence).overTLS().canceled(3 * time.Second),
		unanswered(1, context.Canceled).in(3 * time.Second), unanswered(1, context.Canceled).in(3 * time.Second),
	},
	{
		"given up before the header", once(speaks("").thenIsSilent()).canceled(3 * time.Second),
		unanswered(1, context.Canceled).in(3 * time.Second), unanswered(1, context.Canceled).in(3 * time.Second),
	},
	{
		"given up in the body", once(speaks(header(200, "Content-Length", "100") + "{").thenIsSilent()).canceled(3 * time.Second),
		unanswered(1, context.Canceled).in(3 * time.Second), unanswered(1, context.Canceled).in(3 * time.Second),
	},
	{
		"given up in an error's body", once(speaks(header(500, "Content-Length", "100") + `{"message":"CANARY`).thenIsSilent()).canceled(3 * time.Second),
		unanswered(1, context.Canceled, circleci.ErrServer).in(3 * time.Second), unanswered(1, context.Canceled, circleci.ErrServer).in(3 * time.Second),
	},
	{
		"given up between two attempts", forever(says(503, "", "Retry-After", "60")).canceled(3 * time.Second),
		unanswered(1, context.Canceled, circleci.ErrServer).in(3 * time.Second), refused(1, 503, circleci.ErrServer).wait(time.Minute),
	},
	{
		"a deadline before the header", once(speaks("").thenIsSilent()).deadline(3 * time.Second),
		unanswered(1, context.DeadlineExceeded).in(3 * time.Second), unanswered(1, context.DeadlineExceeded).in(3 * time.Second),
	},
	{
		"a deadline in the body", once(speaks(header(200, "Content-Length", "100") + "{").thenIsSilent()).deadline(3 * time.Second),
		unanswered(1, context.DeadlineExceeded).in(3 * time.Second), unanswered(1, context.DeadlineExceeded).in(3 * time.Second),
	},
	{
		"a deadline in an error's body", once(speaks(header(404, "Content-Length", "100") + "{").thenIsSilent()).deadline(3 * time.Second),
		unanswered(1, context.DeadlineExceeded, circleci.ErrNotFound).in(3 * time.Second), unanswered(1, context.DeadlineExceeded, circleci.ErrNotFound).in(3 * time.Second),
	},

	// A success that is none: the server has done what was asked.
	{"200 with a page", once(page(200, "Sign in")), unreadable(1, 200).says("text/html"), unreadable(1, 200).says("Sign in")},
	{
		"200 with words", once(says(200, "ok", "Content-Type", "text/plain")),
		unreadable(1, 200).says("text/plain"), unreadable(1, 200).says(": ok"),
	},
	{"200 with nothing", once(says(200, "")), unreadable(1, 200).says("empty"), unreadable(1, 200).says("empty")},
	{"200 with white space", once(says(200, " \r\n")), unreadable(1, 200).says("empty"), unreadable(1, 200).says("empty")},
	{"200 with null", once(says(200, "null")), unreadable(1, 200).says("empty"), unreadable(1, 200).says("empty")},
	{"204", once(speaks("HTTP/1.1 204 No Content\r\n\r\n")), unreadable(1, 204).says("empty"), unreadable(1, 204).says("empty")},
	{"200 with an array for an object", once(says(200, `[]`)), unreadable(1, 200), unreadable(1, 200)},
	{"200 with other types", once(says(200, `{"name":{},"items":7}`)), unreadable(1, 200), unreadable(1, 200)},
	{"200 with two answers", once(says(200, good+good)), unreadable(1, 200), unreadable(1, 200)},
	{"200 with very deep JSON", once(says(200, strings.Repeat(`{"name":`, 20_000))), unreadable(1, 200), unreadable(1, 200)},
	{"JSON that stops in the middle", once(says(200, good[:20])), fine(2).in(soon), unreadable(1, 200).says("stops in the middle")},
	{
		"JSON that stops in the middle, for good", forever(says(200, good[:20])),
		unreadable(4, 200).in(thrice).says("stops in the middle"), unreadable(1, 200),
	},
	{
		"an answer above the bound", once(pours(header(200, "Connection", "close"), 2<<20).thenHangsUp()).with(circleci.WithMaxResponseBytes(1 << 20)),
		unreadable(1, 200).says("larger than the limit of 1048576 bytes"), unreadable(1, 200).says("larger than the limit of 1048576 bytes"),
	},
	{"an error's body of 64 MiB", once(pours(header(400, "Content-Length", "67108864"), 64<<20)), refused(1, 400), refused(1, 400)},
	{"an error's body without end", once(pours(header(400, "Connection", "close"), 1<<40)), refused(1, 400), refused(1, 400)},
	{
		"an error that shows the token", once(says(400, `{"message":"bad token CANARY"}`, "X-Request-Id", "r-1")),
		refused(1, 400).says("bad token REDACTED"), refused(1, 400).says("r-1"),
	},

	// Odd, and no fault.
	{"JSON by another name", once(says(200, good, "Content-Type", "text/plain; charset=utf-8")), fine(1), fine(1)},
	{"JSON without a name", once(says(200, good, "Content-Type", "")), fine(1), fine(1)},
	{"JSON with two names", once(says(200, good, "Content-Type", "text/html", "Content-Type", "application/json")), fine(1), fine(1)},
	{"names twice, and letters that are none", once(says(200, strings.Replace(good, "{", `{"name":"x`+"\xff"+`",`, 1))), fine(1), fine(1)},
	{
		"early hints", once(speaks("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + header(200, "Content-Length", strconv.Itoa(len(good))) + good)),
		fine(1), fine(1),
	},
	{
		"early hints without end", once(speaks(strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 1000)+"\r\n\r\n", 12_000)).thenHangsUp()),
		fine(2).in(soon), unanswered(1),
	},
	{"202 with a result", once(says(202, good)), fine(1), fine(1)},
	{"gzip", once(says(200, packed(good), "Content-Encoding", "gzip")), fine(1), fine(1)},

	// Redirects. The token goes to no other host, in any row.
	{
		"302 to another port", once(says(302, "", "Location", "http://127.0.0.1:7000/x?signature=s3cret")),
		fine(2).tries(1), unanswered(1).says("would turn POST into GET"),
	},
	{
		"307 to another port of this machine", once(says(307, "", "Location", "http://127.0.0.1:7000/x?signature=s3cret")),
		fine(2).tries(1), unanswered(1).says("redirects a POST to another host"),
	},
	{
		"307 to another host without TLS", once(says(307, "", "Location", "http://storage.example.net/x?signature=s3cret")),
		unanswered(1).says("storage.example.net, which does not start with https"), unanswered(1).says("redirects a POST to another host"),
	},
	{"307 to the same host", once(says(307, "", "Location", "/elsewhere")), fine(2).tries(1), fine(2).tries(1)},
	{"301 to the same host", once(says(301, "", "Location", "/elsewhere")), fine(2).tries(1), unanswered(1).says("would turn POST into GET")},
	{
		"307 in circles", forever(says(307, "", "Location", "/elsewhere")),
		unanswered(10).tries(1).says("10 redirects"), unanswered(10).tries(1).says("10 redirects"),
	},
	{"302 to nowhere", once(says(302, "")), refused(1, 302), refused(1, 302)},
	{
		"302 to an invalid URL", once(says(302, "", "Location", "http://[s3cret")),
		unanswered(1).says("to an invalid URL"), unanswered(1).says("to an invalid URL"),
	},
	{
		"302 to a file", once(says(302, "", "Location", "file:///etc/passwd")),
		unanswered(1).says("redirects to file://, which is not a valid URL"), unanswered(1).says("would turn POST into GET"),
	},
	{
		"307 from TLS to none", once(says(307, "", "Location", "http://example.com/x")).overTLS(),
		unanswered(1).says("from https to http"), unanswered(1).says("from https to http"),
	},
}

// replayFaults are met by a create to which the caller has given AllowReplay:
// it gets what a read gets.
var replayFaults = []struct {
	name   string
	server script
	want   outcome
}{
	{"429", once(limit("Retry-After", "7")), fine(2).in(7 * time.Second)},
	{"408", once(says(408, "")), fine(2).in(soon)},
	{"500", once(says(500, "")), fine(2).in(soon)},
	{"500 for good", forever(says(500, "")), refused(4, 500, circleci.ErrServer).in(thrice)},
	{"501", once(says(501, "")), refused(1, 501, circleci.ErrServer)},
	{"400", once(says(400, "")), refused(1, 400)},
	{"connection refused", once(isDown(errDial)), fine(2).in(soon)},
	{"a connection closed without an answer", once(speaks("").thenHangsUp()), fine(2).in(soon)},
	{"a server that accepts and says nothing", once(speaks("").thenIsSilent()), fine(2).in(time.Minute)},
	{"JSON that stops in the middle", once(says(200, good[:20])), fine(2).in(soon)},
	{"200 with nothing", once(says(200, "")), unreadable(1, 200)},
	{"a certificate of somebody", once(tlsStranger).overTLS(), unanswered(1)},
}

// onceFaults are met by a get with NoRetry.
var onceFaults = []struct {
	name   string
	server script
	want   outcome
}{
	{"429", once(limit("Retry-After", "7")), refused(1, 429, circleci.ErrRateLimited).wait(7 * time.Second)},
	{"500", once(says(500, "")), refused(1, 500, circleci.ErrServer)},
	{"connection refused", once(isDown(errDial)), unanswered(1, errDial)},
	{"a server that accepts and says nothing", once(speaks("").thenIsSilent()), unanswered(1).in(time.Minute)},
}

// deleteFaults are those that a delete meets in its own way: done twice it is
// done once, and what is gone is gone.
var deleteFaults = []struct {
	name   string
	server script
	want   outcome
}{
	{"500, and gone", once(says(500, ""), says(404, "")), fine(2).in(soon)},
	{"a connection closed without an answer, and gone", once(speaks("").thenHangsUp(), says(404, "")), fine(2).in(soon)},
	{"silence, and gone", once(speaks("").thenIsSilent(), says(404, "")), fine(2).in(time.Minute)},
	{"500, a limit, and gone", once(says(500, ""), limit("Retry-After", "7"), says(404, "")), fine(3).in(7 * time.Second)},
	{"never there", once(says(404, "")), refused(1, 404, circleci.ErrNotFound)},
	{"a limit, and never there", once(limit("Retry-After", "7"), says(404, "")), refused(2, 404, circleci.ErrNotFound).in(7 * time.Second)},
	{"no connection, and never there", once(isDown(errDial), says(404, "")), refused(2, 404, circleci.ErrNotFound).in(soon)},
	{"500, and removed for good", once(says(500, ""), says(410, "")), refused(2, 410, circleci.ErrGone).in(soon)},
	{"nothing", once(says(200, "")), fine(1)},
	{"204", once(speaks("HTTP/1.1 204 No Content\r\n\r\n")), fine(1)},
	{"words", once(says(200, "Deleted.", "Content-Type", "text/plain")), fine(1)},
	{"a body cut before its length", once(speaks(header(200, "Content-Length", "100") + "{").thenHangsUp()), fine(1)},
	{"a body without end", once(pours(header(200, "Connection", "close"), 1<<40)), fine(1)},
}

// listFaults are those of lists alone; they are met from the second page on.
// The first has two items.
var listFaults = []struct {
	name   string
	server script
	items  int
	want   outcome
}{
	{"the token is that of before", once(listPage("2", 3)), 3, loops(1)},
	{"the token never changes", forever(listPage("2", 3)), 3, loops(1)},
	{"tokens in circles", once(listPage("3", 3), listPage("4", 4), listPage("3", 5)), 5, loops(3)},
	{"the first page again, with a new token", once(listPage("3", 1, 2)), 3, fine(2).tries(1)},
	{"the first page again, and the last", once(listPage("", 1, 2)), 2, fine(1)},
	{"an item again", once(listPage("", 2, 3)), 3, fine(1)},
	{"an empty page with a token", once(listPage("3"), listPage("", 3)), 3, fine(2).tries(1)},
	{"empty pages without end", forever(manyEmptyPages()...), 2, loops(100)},
	{"no items at all", once(says(200, `{}`)), 2, unreadable(1, 200)},
	{"items that are null", once(says(200, `{"items":null,"next_page_token":null}`)), 2, fine(1)},
	{"items that are none", once(says(200, `{"items":{}}`)), 2, unreadable(1, 200)},
	{"an item of another type", once(says(200, `{"items":[7]}`)), 2, unreadable(1, 200)},
	{"a token of another type", once(says(200, `{"items":[],"next_page_token":{}}`)), 2, unreadable(1, 200)},
	{"a bare array", once(says(200, `[]`)), 2, unreadable(1, 200)},
	{"a page that breaks off, and comes whole", once(says(200, `{"items":[{"name":"half"},`), listPage("", 3)), 3, fine(2).in(soon)},
	{"a third page that is refused", once(listPage("3", 3), says(403, "{}")), 3, refused(2, 403, circleci.ErrForbidden).tries(1)},
}

const (
	// good is the answer to each kind of call; for a walk it is the last page.
	good = `{"id":"00000007-1111-4111-8111-111111111111","name":"deploy","items":[{"id":"00000009-1111-4111-8111-111111111111","name":"c"}]}`

	tenSecondsOn = "Sat, 01 Jan 2000 00:00:10 GMT" // a bubble's clock starts with the year 2000
	yesterday    = "Fri, 31 Dec 1999 00:00:00 GMT"

	// soon is the least wait before a second attempt.
	soon = 250 * time.Millisecond
	// thrice is the least that the waits between four attempts come to.
	thrice = 7 * soon
)

// errDial is the error of a connection that nobody takes.
var errDial = &net.OpError{Op: "dial", Net: "tcp", Err: errConnectionRefused}

// errConnectionRefused is ECONNREFUSED, which not every system has.
var errConnectionRefused = errors.New("connection refused")

func dnsError(text string) error {
	return &net.OpError{Op: "dial", Err: &net.DNSError{Err: text, Name: "localhost", IsNotFound: text == "no such host"}}
}

var (
	tlsSilence = move{connect: func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }}
	tlsHangUp  = move{connect: func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }}
	tlsPlain   = move{connect: func(conn net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	}}
	tlsStranger = move{connect: func(conn net.Conn) {
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{stranger()}}).Handshake() // the client says no
	}}
)

func limit(headers ...string) move {
	return says(429, "Rate limited.", append([]string{"Content-Type", "text/plain"}, headers...)...)
}

// page is a page for people.
func page(status int, title string) move {
	return says(status, "<!DOCTYPE html>\n<html><head><title>"+title+"</title></head></html>", "Content-Type", "text/html; charset=UTF-8")
}

// listPage is a page with a next token and items of these numbers.
func listPage(next string, numbers ...int) move {
	var all []string
	for _, n := range numbers {
		all = append(all, fmt.Sprintf(`{"id":"%08d-1111-4111-8111-111111111111","name":"c"}`, n))
	}
	return says(200, fmt.Sprintf(`{"items":[%s],"next_page_token":%q}`, strings.Join(all, ","), next))
}

func manyEmptyPages() (all []move) {
	for n := range 200 {
		all = append(all, listPage(fmt.Sprint("t", n)))
	}
	return all
}

func headerLines(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("X-%d: x\r\n", i))
	}
	return lines
}

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text) // to memory
	_ = z.Close()
	return b.String()
}

// flipped has another checksum.
func flipped(gz string) string { return gz[:len(gz)-8] + "\x00" + gz[len(gz)-7:] }

// outcome is what the caller gets.
type outcome struct {
	sent     int           // requests
	attempts int           // of the last page's, for a walk
	takes    time.Duration // and two seconds more at most; zero is at once
	text     string        // in the error
	is       []error       // what the error matches; no other of the package's own
	status   int
	pause    time.Duration // Error.RetryAfter
	kind     any           // a pointer to the error's type; nil: there is none
}

// fine is a success after so many requests.
func fine(sent int) outcome { return outcome{sent: sent, attempts: sent} }

// refused is the API's answer, an Error.
func refused(sent, status int, is ...error) outcome {
	return outcome{sent: sent, attempts: sent, status: status, is: is, kind: new(*circleci.Error)}
}

// unanswered is a TransportError.
func unanswered(sent int, is ...error) outcome {
	return outcome{sent: sent, attempts: sent, is: is, kind: new(*circleci.TransportError)}
}

// unreadable is a DecodeError.
func unreadable(sent, status int) outcome {
	return outcome{sent: sent, attempts: sent, status: status, kind: new(*circleci.DecodeError)}
}

// loops is a list whose pages repeat.
func loops(sent int) outcome {
	return outcome{sent: sent, attempts: 1, is: []error{circleci.ErrPageLoop}, kind: new(interface{ Unwrap() error })}
}

// in is the time it takes.
func (o outcome) in(d time.Duration) outcome {
	o.takes = d
	return o
}

// wait is the pause that the error names.
func (o outcome) wait(d time.Duration) outcome {
	o.pause = d
	return o
}

// says is part of the error's text.
func (o outcome) says(text string) outcome {
	o.text = text
	return o
}

// tries is for attempts of another number than requests: redirects, pages.
func (o outcome) tries(n int) outcome {
	o.attempts = n
	return o
}

// faultCall is a kind of call.
type faultCall struct {
	method, route string
	// make returns how many items the call hands over; a result is one.
	make func(ctx context.Context, c *circleci.Client, opts ...circleci.RequestOption) (int, error)
}

var (
	faultGet = faultCall{"GET", "/context/{context_id}", func(ctx context.Context, c *circleci.Client, opts ...circleci.RequestOption) (int, error) {
		return present(c.Contexts.Get(ctx, someID, opts...))
	}}
	faultWalk = faultCall{"GET", "/context", func(ctx context.Context, c *circleci.Client, opts ...circleci.RequestOption) (int, error) {
		return count(ctx, c.Contexts.List(circleci.OwnerBySlug("gh/acme"), nil, opts...))
	}}
	faultCreate = faultCall{"POST", "/context", func(ctx context.Context, c *circleci.Client, opts ...circleci.RequestOption) (int, error) {
		return present(c.Contexts.Create(ctx, circleci.CreateContextRequest{Name: "deploy", Owner: circleci.OwnerByID(id1)}, opts...))
	}}
	faultDelete = faultCall{"DELETE", "/context/{context_id}", func(ctx context.Context, c *circleci.Client, opts ...circleci.RequestOption) (int, error) {
		return 0, c.Contexts.Delete(ctx, someID, opts...)
	}}
)

// with is the call with an option.
func (call faultCall) with(option circleci.RequestOption) faultCall {
	make := call.make
	call.make = func(ctx context.Context, c *circleci.Client, opts ...circleci.RequestOption) (int, error) {
		return make(ctx, c, append(opts, option)...)
	}
	return call
}

// present counts a result.
func present(got *circleci.Context, err error) (int, error) {
	if got == nil {
		return 0, err
	}
	return 1, err
}

func TestFaults(t *testing.T) {
	items := func(o outcome, before int) int { // page one, and the good answer
		switch {
		case o.kind == nil:
			return before + 1
		case o.sent == 0:
			return 0
		}
		return before
	}
	for _, row := range faults {
		t.Run(row.name, func(t *testing.T) {
			t.Run("get", func(t *testing.T) { faultGet.meets(t, row.server, row.reads, items(row.reads, 0)) })
			t.Run("walk", func(t *testing.T) { faultWalk.meets(t, row.server, row.reads, items(row.reads, 2)) })
			t.Run("create", func(t *testing.T) { faultCreate.meets(t, row.server, row.create, items(row.create, 0)) })
		})
	}
	for _, row := range replayFaults {
		t.Run("replay/"+row.name, func(t *testing.T) {
			faultCreate.with(circleci.AllowReplay()).meets(t, row.server, row.want, items(row.want, 0))
		})
	}
	for _, row := range onceFaults {
		t.Run("once/"+row.name, func(t *testing.T) {
			faultGet.with(circleci.NoRetry()).meets(t, row.server, row.want, items(row.want, 0))
		})
	}
	for _, row := range deleteFaults {
		t.Run("delete/"+row.name, func(t *testing.T) { faultDelete.meets(t, row.server, row.want, 0) })
	}
	for _, row := range listFaults {
		t.Run("list/"+row.name, func(t *testing.T) { faultWalk.meets(t, row.server, row.want, row.items) })
	}
}

// meets makes the call against the server, and holds what the caller gets
// against the row.
func (call faultCall) meets(t *testing.T, server script, want outcome, items int) {
	certificate() // made outside of the bubble, for all of them
	stranger()
	synctest.Test(t, func(t *testing.T) {
		network := &faultNet{script: server, begun: call.route != faultWalk.route || call.method != faultWalk.method}
		network.good = func(_ *http.Request, begun bool) move {
			if !begun {
				return listPage("2", 1, 2).thenHangsUp()
			}
			return says(200, good)
		}
		client := network.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		if server.context != nil {
			ctx, cancel = server.context(t.Context())
		}
		defer cancel()
		var response circleci.Response
		start := time.Now()
		got, err := call.make(ctx, client, circleci.CaptureResponse(&response))
		took := time.Since(start)

		want.hold(t, call, err)
		assert.Equal(t, items, got, "items handed over")
		assert.Equal(t, want.attempts, response.Attempts, "attempts")
		if want.takes == 0 {
			assert.Zero(t, took, "there is nothing to wait for")
		} else {
			assert.GreaterOrEqual(t, took, want.takes, "not before the server has said, and not in haste")
			assert.LessOrEqual(t, took, want.takes+2*time.Second, "the caller waits in vain")
		}
		require.NoError(t, client.Close())
		time.Sleep(time.Minute) // of the bubble's clock: a server that drips sees only then that nobody reads
		synctest.Wait()
		network.mu.Lock()
		defer network.mu.Unlock()
		assert.Equal(t, want.sent, network.tries, "requests sent: %v", err)
		assert.Empty(t, network.leaked, "hosts that have got the token")
		assert.Zero(t, network.open, "connections that are left")
	}) // it ends when all goroutines have
}

// hold looks at the error.
func (o outcome) hold(t *testing.T, call faultCall, err error) {
	t.Helper()
	if o.kind == nil {
		assert.NoError(t, err)
		return
	}
	if !assert.ErrorAs(t, err, o.kind) {
		return
	}
	assertOneLine(t, err)
	assertHidden(t, canary, err)
	assert.Contains(t, err.Error(), call.method+" "+call.route)
	assert.Contains(t, err.Error(), o.text)
	assert.NotContains(t, err.Error(), "s3cret", "an error does not show a URL")
	assert.NotContains(t, err.Error(), someID.String(), "an error does not show a URL")
	for _, target := range o.is {
		assert.ErrorIs(t, err, target)
	}
	for name, sentinel := range sentinels {
		assert.Equal(t, slices.Contains(o.is, sentinel), errors.Is(err, sentinel), "%s: %v", name, err)
	}
	switch e := err.(type) {
	case *circleci.Error:
		assert.Equal(t, o.status, e.StatusCode)
		assert.Equal(t, o.attempts, e.Attempts)
		assert.Equal(t, o.pause, e.RetryAfter)
		assert.LessOrEqual(t, cap(e.Body), 128<<10, "an error keeps 64 KiB")
	case *circleci.TransportError:
		assert.Equal(t, o.attempts, e.Attempts)
	case *circleci.DecodeError:
		assert.Equal(t, o.status, e.StatusCode)
		assert.Equal(t, o.attempts, e.Attempts)
		assert.LessOrEqual(t, cap(e.Body), 128<<10, "an error keeps 64 KiB")
	}
}

// A refusal is that of all callers of the family, and what one of them does
// meanwhile is its own business.
func TestARefusalOutlivesTheCallerThatGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &faultNet{begun: true, script: once(speaks(header(429, "Content-Length", "100", "Retry-After", "3600") + "{").thenIsSilent())}
		client := network.client(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.Contexts.Get(ctx, someID)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		_, err = client.Contexts.Get(t.Context(), someID)
		refused := requireError[*circleci.Error](t, err)
		assert.Equal(t, 429, refused.StatusCode)
		assert.InDelta(t, time.Hour, refused.RetryAfter, float64(time.Second))
		assert.Zero(t, refused.Attempts)
	})
}

func TestAHugeErrorCostsNoMemory(t *testing.T) {
	huge := answers(500, "")
	huge.tail = io.LimitReader(spaces{}, 64<<20)
	client := always(huge).client(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := client.Contexts.Get(t.Context(), someID)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, circleci.ErrServer)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20)*raceFactor, "bytes allocated for an error")
}
