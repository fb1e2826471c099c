package circleci

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/circleci-go/circleci/internal/transport"
)

// Version is the version of this package, sent in the User-Agent.
const Version = "0.1.0"

// Client is a client of the CircleCI API v2, with a service for each type of
// resource. It is safe for concurrent use. Create one Client and share it: its
// calls share connections and rate limits.
type Client struct {
	AuditLog            *AuditLogService
	Contexts            *ContextsService
	Deploys             *DeploysService
	GitHubApp           *GitHubAppService
	Groups              *GroupsService
	Insights            *InsightsService
	Jobs                *JobsService
	OIDC                *OIDCService
	OTel                *OTelService
	Organizations       *OrganizationsService
	PipelineDefinitions *PipelineDefinitionsService
	Pipelines           *PipelinesService
	Policy              *PolicyService
	Projects            *ProjectsService
	Schedules           *SchedulesService
	Signing             *SigningService
	Triggers            *TriggersService
	Usage               *UsageService
	Users               *UsersService
	Webhooks            *WebhooksService
	Workflows           *WorkflowsService

	plainHTTP bool // whether plain http is allowed to other hosts
	maxBody   int64

	root *url.URL // of the server, without /api
	base *url.URL // of the API v2
	http *http.Client
	auth *transport.Auth
	send transport.Handler

	tokenFrom string // for errors
	callHooks []CallHook
}

// service is the common part of all services.
type service struct{ client *Client }

// NewClient returns a client that authenticates with the given personal API
// token. If token is empty, no token is sent; some reads of public projects
// work without one.
//
// NewClient does no I/O. If an option is invalid, the error matches
// [ErrInvalidArgument].
func NewClient(token string, opts ...Option) (*Client, error) {
	cfg := config{
		baseURL: defaultHost, userAgent: "circleci-go/" + Version, silence: defaultSilence, maxBody: defaultMaxBody,
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&cfg)
		}
	}
	source, err := cfg.source(token)
	if err != nil {
		return nil, err
	}
	if err := cfg.retry.check(); err != nil {
		return nil, err
	}
	root, err := parseHost(cfg.baseURL, cfg.plainHTTP)
	if refused, ok := errors.AsType[*ArgumentError](err); ok && cfg.baseURLFrom != "" {
		refused.Name += " (from " + cfg.baseURLFrom + ")"
	}
	if err != nil {
		return nil, err
	}
	if hasControl(cfg.userAgent) {
		return nil, &ArgumentError{Name: "user agent", Reason: "contains a control character"}
	}
	base := *root
	base.Path += "/api/v2"
	c := &Client{plainHTTP: cfg.plainHTTP, maxBody: cfg.maxBody, root: root, base: &base, tokenFrom: cfg.tokenFrom, callHooks: cfg.callHooks}
	if c.http, err = cfg.client(root); err != nil {
		return nil, err
	}
	c.auth = transport.NewAuth(c.http.Transport, root, source, cfg.bearer)
	c.auth.UserAgent = []string{cfg.userAgent}
	c.auth.InPlace = len(cfg.middleware) == 0
	c.http.Transport = c.auth
	for _, wrap := range slices.Backward(cfg.middleware) {
		if wrap != nil {
			c.http.Transport = wrap(c.http.Transport)
		}
		if c.http.Transport == nil {
			return nil, &ArgumentError{Name: "middleware", Reason: "returned no round tripper"}
		}
	}
	c.send = cfg.links(c.http)
	c.addServices()
	return c, nil
}

func (c *Client) addServices() {
	s := &service{c}
	c.AuditLog = (*AuditLogService)(s)
	c.Contexts = (*ContextsService)(s)
	c.Deploys = (*DeploysService)(s)
	c.GitHubApp = (*GitHubAppService)(s)
	c.Groups = (*GroupsService)(s)
	c.Insights = (*InsightsService)(s)
	c.Jobs = (*JobsService)(s)
	c.OIDC = (*OIDCService)(s)
	c.OTel = (*OTelService)(s)
	c.Organizations = (*OrganizationsService)(s)
	c.PipelineDefinitions = (*PipelineDefinitionsService)(s)
	c.Pipelines = (*PipelinesService)(s)
	c.Policy = (*PolicyService)(s)
	c.Projects = (*ProjectsService)(s)
	c.Schedules = (*SchedulesService)(s)
	c.Signing = (*SigningService)(s)
	c.Triggers = (*TriggersService)(s)
	c.Usage = (*UsageService)(s)
	c.Users = (*UsersService)(s)
	c.Webhooks = (*WebhooksService)(s)
	c.Workflows = (*WorkflowsService)(s)
}

// Close closes idle connections. The client can still be used afterwards.
// Calling Close is optional: no goroutine outlives a call.
func (c *Client) Close() error {
	c.auth.CloseIdleConnections() // a middleware may not forward it
	return nil
}

// BaseURL returns the URL of the API v2 that the client sends requests to.
func (c *Client) BaseURL() string { return c.base.String() }

// String returns a description with the base URL, without the token.
func (c *Client) String() string { return "circleci.Client(" + c.BaseURL() + ")" }

// GoString returns the same as String, so that %#v does not print the token.
func (c *Client) GoString() string { return c.String() }

// parseHost converts a host in any form to the root URL of the server.
func parseHost(host string, plainHTTP bool) (*url.URL, error) {
	refuse := func(reason string) (*url.URL, error) {
		return nil, &ArgumentError{Name: "base URL", Reason: reason}
	}
	text := strings.TrimSpace(host)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return refuse("is not a valid URL") // the cause would show the URL and any password in it
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("has the scheme " + u.Scheme + ": use https")
	case u.User != nil:
		return refuse("must not contain a user or password: pass the token to NewClient")
	case u.Hostname() == "":
		return refuse("has no valid host")
	case strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > unicode.MaxASCII }):
		return refuse("has an international name: write it in punycode (xn--…)")
	case !transport.IsPlainHost(u):
		return refuse("has no valid host")
	case strings.HasPrefix(strings.ToUpper(u.Hostname()), "CCIP"): // it would leak into DNS queries
		return refuse("looks like a token: pass it as NewClient's first argument")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return refuse("must not have a query or a fragment")
	case u.Scheme == "http" && !plainHTTP && !transport.IsLoopback(u.Hostname()):
		return refuse("would send the token to " + u.Host + " unencrypted: use https, or WithPlainHTTP if you must")
	}
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = trimAPI(u.Path), ""
	if u.Path != "" && u.JoinPath().Path != u.Path {
		return refuse("has a path with empty, . or .. segments")
	}
	return u, nil
}

// trimAPI removes /api and a version from the end of the path.
func trimAPI(path string) string {
	path = strings.TrimRight(path, "/")
	if i := strings.LastIndexByte(path, '/'); i >= 0 && strings.HasSuffix(path[:i], "/api") && isVersion(path[i+1:]) {
		path = path[:i]
	}
	return strings.TrimRight(strings.TrimSuffix(path, "/api"), "/")
}

func isVersion(s string) bool {
	return len(s) > 1 && s[0] == 'v' && strings.Trim(s[1:], "0123456789.") == ""
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
