package circleci

import "net/http"

// OffsetPager pages a bare array by offset: no method does so with items that
// have an identity.
func OffsetPager(c *Client, route string, opts ...RequestOption) *Pager[Collaboration] {
	return bare[Collaboration](c, get(route).with(opts), true)
}

// NetTransport is the transport of a client that is given none.
func NetTransport() *http.Transport { return (&config{}).transport() }
