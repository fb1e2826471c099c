package circlecitest

import (
	"net/http"
	"time"
)

// WithToken sets the token that the server takes.
func WithToken(token string) Option { return func(s *Server) { s.engine.Token = token } }

// WithDocumentSpelling makes answers spell their keys as CircleCI's OpenAPI
// document does, where the live API spells them otherwise: verify-tls for
// verify_tls.
func WithDocumentSpelling() Option { return func(s *Server) { s.api.Kebab = true } }

// WithStrictness refuses what the API would ignore: query parameters and members
// of a body that it does not have. For a test it is set: see [New].
func WithStrictness() Option { return func(s *Server) { s.strict = true } }

// WithSeed changes the seed of all that is random: IDs, what jobs do by chance,
// and shares of faults. Two servers with one seed give the same answers to the
// same requests.
func WithSeed(seed uint64) Option { return func(s *Server) { s.engine.Seed = seed } }

// WithRequestsKept bounds the memory of [Server.Requests], and of
// [Server.Deliveries], to the last n or somewhat more; by default all are kept.
func WithRequestsKept(n int) Option {
	return func(s *Server) { s.keep, s.engine.Courier.Keep = n, n }
}

// WithPipelinesKept bounds the memory of a server that runs for long: of
// pipelines, with all that ran in them, the last n are kept, also if older ones
// still run, and as many policy decisions and usage exports. By default all
// are.
func WithPipelinesKept(n int) Option { return func(s *Server) { s.engine.Runs.Keep = n } }

// WithSpeed makes the server's time pass so many times faster than ours: with
// 60, a job of a minute takes a second. Within testing/synctest, ours is the
// bubble's. It cannot be combined with [WithManualTime].
func WithSpeed(factor float64) Option { return func(s *Server) { s.engine.Clock.Speed = factor } }

// WithManualTime makes the server's time stand still, except for
// [Server.Advance].
func WithManualTime() Option { return func(s *Server) { s.engine.Clock.Speed = 0 } }

// WithAllowedHosts names further hosts that requests may be sent to, such as the
// name of a container; "*" allows any. By default a server answers requests for
// this machine only, so that a web page cannot reach it by a name that resolves
// to this machine.
func WithAllowedHosts(names ...string) Option {
	return func(s *Server) { s.allowedHosts = append(s.allowedHosts, names...) }
}

// WithTime sets the time at which the server begins.
func WithTime(t time.Time) Option { return func(s *Server) { s.engine.Clock.Base = t } }

// WithDeliveryTransport sets what carries the calls of webhooks, in place of a
// socket: a function of the test, so that no receiver has to listen, and that
// it works within testing/synctest. It gets the calls for any URL. Without it
// the server calls this machine alone, and no host of the outer world.
func WithDeliveryTransport(rt http.RoundTripper) Option {
	return func(s *Server) { s.engine.Courier.Transport = rt }
}
