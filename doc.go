// Package circleci is a client of the CircleCI API v2.
//
//	client, err := circleci.NewClient(os.Getenv("CIRCLE_TOKEN"))
//	if err != nil {
//		return err
//	}
//	for p, err := range client.Pipelines.ListForProject("gh/acme/web", nil).All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(p.Number, p.State)
//	}
//
// A [Client] has a service for each kind of resource, and a service a method
// for each operation. What the API requires is a parameter or a field of one;
// what is optional is a pointer to an options struct, which may be nil, and
// [RequestOption] values come last. Lists are a [Pager], which does no I/O until
// it is iterated. A program that waits for a run, rather
// than reading it once, has [PipelinesService.Wait] and its kin.
//
// Use package circlecitest to test a program without an account and without a
// network, package webhook to receive what CircleCI tells of by itself, and
// package cliconfig to share the login of CircleCI's command line tool.
//
// # Errors
//
// An answer that is no success is an [Error]; match its meaning:
//
//	if errors.Is(err, circleci.ErrNotFound) { … }
//
// A call without an answer is a [TransportError], a success that cannot be read
// a [DecodeError], and an argument that was refused before anything was sent an
// [ArgumentError]. They name the operation by its route, and hold neither the
// token nor a URL. On an error a result is nil; walks hand over what they have
// read before.
//
// # Retries
//
// A request is sent again only if that cannot do a thing twice: by default up
// to 4 attempts in all, the last of which begins within 5 minutes. [WithRetry]
// changes the numbers, [NoRetry] turns it off for a call, and [AllowReplay] lets
// a call have what stands in the last column.
//
//	answer or failure                        GET HEAD PUT DELETE   POST PATCH   with AllowReplay
//	429                                      again                 again        again
//	403 as an HTML page (CircleCI's edge)    again                 again        again
//	408, 5xx but 501 and 505                 again                 error        again
//	no connection could be made              again                 again        again
//	connection broke, or silent for long     again                 error        again
//	JSON that stops in the middle            again                 error        again
//	404 to a DELETE after 408, 5xx, a break  success               –            –
//	other answers: 3xx, 4xx, 501, 505        error                 error        error
//	certificate, unknown host, bad redirect  error                 error        error
//	empty, too large or unreadable answer    error                 error        error
//
// Before a second attempt the client waits for what Retry-After says, in
// seconds or as a date, and else up to half a second, doubling, with jitter.
// Where the wait would pass the context's deadline, or two minutes, the answer
// is returned at once; its [Error.RetryAfter] says how long. The error of a call
// that failed for good has the last answer and the number of attempts.
//
// # Rate limits
//
// All calls of a client share a [Pacer]. A 429 pauses all callers of the same
// method and path, arguments included, until the time that it gives, or for a
// second if it gives none; other calls are not held back. A time beyond
// [RetryPolicy.MaxWait] is not believed: the calls fail at once, and one in each
// MaxWait asks the server again. Where the server announces its limit
// (RateLimit-…, X-RateLimit-… and the IETF draft's RateLimit, of which the
// tighter counts), the calls of a route are spread so that the limit is used and
// not exceeded. Without headers, a crowd is bounded in its first burst only, and
// after a refusal to the rate that was granted before. Calls of a route are
// served first in, first out. [WithLimiter] replaces all that, or turns it off.
//
// # Time limits
//
// No deadline is needed: an attempt ends when a connection takes 10 seconds, TLS
// 10 more, or when nothing at all arrives for a minute ([WithIdleTimeout]).
// Nothing limits the whole of a long download. A canceled context is obeyed at
// once, in each phase. Answers are decoded up to 64 MiB
// ([WithMaxResponseBytes]); an error keeps the first 64 KiB of what came.
//
// # The token
//
// The token is sent to the host of the base URL, which for circleci.com is
// api.circleci.com too, and to CircleCI's own artifact hosts
// (*.circle-artifacts.com, by https), and nowhere else: each redirect is judged
// anew. A redirect that would turn a POST into a GET, take a change to another
// host, or leave TLS, is not followed. A base URL with plain http is refused but
// for this machine. The token prints as REDACTED, and is taken out of what a
// server echoes; middlewares do not see it. A [Secret] in a request prints as
// REDACTED too, and is sent in clear.
//
// # Self-hosted servers
//
// [WithBaseURL] takes a host in any form, [WithRootCAs] and
// [WithClientCertificate] its certificates. CircleCI server lacks some
// operations of the cloud; it answers them with 404.
package circleci
