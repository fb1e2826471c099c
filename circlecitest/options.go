package circlecitest

import (
	"net/http"
	"time"
)

// WithToken sets the token that the server accepts. The default is
// [DefaultToken].
func WithToken(token string) Option { return func(s *Server) { s.engine.Token = token } }

// WithDocumentSpelling makes responses spell keys as CircleCI's OpenAPI
// document does where the live API differs: verify-tls instead of verify_tls.
func WithDocumentSpelling() Option { return func(s *Server) { s.api.Kebab = true } }

// WithStrictness makes the server refuse what the API would ignore: unknown
// query parameters and unknown members of request bodies. [New] always sets it.
func WithStrictness() Option { return func(s *Server) { s.strict = true } }

// WithoutV11Triggers makes the routes of the API v1.1 that start and rerun builds
// respond with 410, as CircleCI will from February 1, 2027. Without it their
// responses have the headers Deprecation and Sunset.
func WithoutV11Triggers() Option { return func(s *Server) { s.api.WithoutV11Triggers = true } }

// WithoutRepeatedPages ends the list of a context's variables. By default the
// server returns the same page for every page token, always with another token,
// because CircleCI's API has been seen to do so. Clients that request pages until
// there is no token never stop then. CircleCI's command-line tools and its
// Terraform provider are such clients, and need this option.
func WithoutRepeatedPages() Option { return func(s *Server) { s.api.WithoutRepeats = true } }

// WithSeed sets the seed of everything random: IDs, random job outcomes and
// fractions of faults. Two servers with the same seed give the same responses
// to the same requests.
func WithSeed(seed uint64) Option { return func(s *Server) { s.engine.Seed = seed } }

// WithRequestsKept bounds the memory used for [Server.Requests] and
// [Server.Deliveries]: at least the last n of each are kept, and fewer than 2n
// requests. By default all are kept.
func WithRequestsKept(n int) Option {
	return func(s *Server) { s.keep, s.engine.Courier.Keep = n, n }
}

// WithPipelinesKept bounds the memory of a long-running server: it keeps the
// last n pipelines with everything that ran in them, even if older ones are
// unfinished, and the last n policy decisions and usage exports. By default all
// are kept.
func WithPipelinesKept(n int) Option { return func(s *Server) { s.engine.Runs.Keep = n } }

// WithSpeed makes the server's clock run faster than real time by the given
// factor: with 60, a one-minute job takes a second. Within testing/synctest,
// real time is the bubble's time. It cannot be combined with [WithManualTime].
func WithSpeed(factor float64) Option { return func(s *Server) { s.engine.Clock.Speed = factor } }

// WithManualTime stops the server's clock; only [Server.Advance] moves it.
func WithManualTime() Option { return func(s *Server) { s.engine.Clock.Speed = 0 } }

// WithAllowedHosts adds host names under which the server accepts requests,
// such as the name of a container; "*" accepts any. By default the server
// accepts only loopback addresses and localhost, so that a web page cannot
// reach it through a DNS name that resolves to this machine.
func WithAllowedHosts(names ...string) Option {
	return func(s *Server) { s.allowedHosts = append(s.allowedHosts, names...) }
}

// WithTime sets the time at which the server's clock starts.
func WithTime(t time.Time) Option { return func(s *Server) { s.engine.Clock.Base = t } }

// WithDeliveryTransport sets the round tripper that delivers webhooks, in place
// of a network connection. It receives the deliveries for every URL, so no
// receiver has to listen, and it works within testing/synctest. By default the
// server delivers only to receivers on this machine.
//
// To call an [http.Handler] under test:
//
//	type roundTripper func(*http.Request) (*http.Response, error)
//
//	func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
//
//	srv := circlecitest.New(t, circlecitest.WithDeliveryTransport(
//		roundTripper(func(r *http.Request) (*http.Response, error) {
//			w := httptest.NewRecorder()
//			handler.ServeHTTP(w, r)
//			return w.Result(), nil
//		})))
func WithDeliveryTransport(rt http.RoundTripper) Option {
	return func(s *Server) { s.engine.Courier.Transport = rt }
}

// WithoutV3 makes the server answer 404 to the API v3, which CircleCI
// server does not have.
func WithoutV3() Option { return func(s *Server) { s.api.WithoutV3 = true } }
