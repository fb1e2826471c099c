package circleci

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/circleci-go/circleci/internal/wire"
)

// Pager is a paginated list. Range over its items, or collect them:
//
//	for p, err := range client.Pipelines.ListForProject(slug, nil).All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(p.Number, p.State)
//	}
//
//	contexts, err := client.Contexts.List(owner, nil).Collect(ctx)
//
// A Pager does no I/O until it is iterated, can be iterated again, and is safe
// for concurrent use. [Pager.Take], [Pager.Prefetch] and [Pager.From] return a
// modified copy, so they can be chained.
//
// Iteration always terminates, unless the list itself is infinite. If the API
// returns an item twice, because new items have shifted the pages in the
// meantime, it is yielded once. An item without an ID or another identity is
// never skipped. If a page token repeats, the iteration ends, after the items
// read so far, with an error that matches [ErrPageLoop].
type Pager[T any] struct{ pages pages }

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// NextPageToken is the page token of the next page. It is empty if this is
	// the last page. If the API uses offsets, it is the decimal offset.
	NextPageToken string
	// TotalCount is the number of items in all pages, or 0 if the API does not
	// report it.
	TotalCount int
	// Response is the metadata of the response.
	Response Response
}

// NewPager returns a Pager for a list that this package does not model. fetch
// returns the page with the given token, or the first page if the token is
// empty; it usually calls [Client.Do]. If several goroutines use the Pager,
// they call fetch concurrently.
//
// If items are structs with a field ID of type string or uuid.UUID, each ID is
// yielded once.
func NewPager[T any](fetch func(ctx context.Context, token string) (*Page[T], error)) *Pager[T] {
	return &Pager[T]{pages{
		own: func(ctx context.Context, token string) fetched {
			if ctx == nil {
				return fetched{err: &ArgumentError{Name: "ctx", Reason: "is nil"}}
			}
			page, err := fetch(ctx, token)
			if page == nil {
				page = new(Page[T])
			}
			return fetched{page: &pageAnswer[T]{page: *page}, err: err}
		},
	}}
}

// All returns an iterator over the items of all pages. If a request fails, the
// iterator yields the items read before the error, and then the error with a
// zero item. After breaking out of the loop, no further request is sent.
//
// Always range with two variables. A loop with one variable compiles but drops
// the error, so an incomplete list looks like a complete one.
func (p *Pager[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p.pages.walk(ctx, func(page anyPage, err error) bool {
			if err != nil {
				return yield(*new(T), err)
			}
			for _, item := range page.(*pageAnswer[T]).page.Items {
				if !yield(item, nil) {
					return false
				}
			}
			return true
		})
	}
}

// Collect returns all items. If a request fails, it returns the items read
// before the error, together with the error.
func (p *Pager[T]) Collect(ctx context.Context) ([]T, error) {
	var all []T
	for page, err := range p.Pages(ctx) {
		if err != nil {
			return all, err
		}
		if all == nil {
			all = page.Items
		} else {
			all = append(all, page.Items...)
		}
	}
	return all, nil
}

// First returns the first item. If the list is empty, the error matches
// [ErrNotFound].
func (p *Pager[T]) First(ctx context.Context) (*T, error) {
	for item, err := range p.Take(1).All(ctx) {
		if err != nil {
			return nil, err
		}
		return &item, nil
	}
	return nil, p.pages.failed(ErrNotFound, "the list is empty")
}

// Pages returns an iterator over the pages. Items that an earlier page
// contained are removed. An error is yielded last, with a nil page.
func (p *Pager[T]) Pages(ctx context.Context) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		p.pages.walk(ctx, func(page anyPage, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return yield(&page.(*pageAnswer[T]).page, nil)
		})
	}
}

// Page returns one page: the first if token is empty, or the page with the
// given token, the NextPageToken of an earlier page. No item is removed.
func (p *Pager[T]) Page(ctx context.Context, token string) (*Page[T], error) {
	page, err := p.pages.one(ctx, token)
	if err != nil {
		return nil, err
	}
	return &page.(*pageAnswer[T]).page, nil
}

// Take returns a Pager that yields at most n items, and requests only the pages
// that contain them. If n is zero or less, it yields none. It does not affect
// [Pager.Page].
func (p *Pager[T]) Take(n int) *Pager[T] {
	changed := *p
	changed.pages.limited, changed.pages.most = true, max(n, 0)
	if p.pages.limited {
		changed.pages.most = min(changed.pages.most, p.pages.most)
	}
	return &changed
}

// Prefetch returns a Pager that requests the next page while the loop processes
// the current one. It fetches at most one page ahead, and none after the loop
// has ended.
func (p *Pager[T]) Prefetch() *Pager[T] {
	changed := *p
	changed.pages.prefetch = true
	return &changed
}

// From returns a Pager that starts at the page with the given token, the
// NextPageToken of an earlier page. Use it to resume an interrupted iteration.
// Empty means the first page.
func (p *Pager[T]) From(token string) *Pager[T] {
	changed := *p
	changed.pages.from = token
	return &changed
}

// envelope is the JSON object around the items of a page.
type envelope[T any] struct {
	Items         wire.Items[T] `json:"items"`
	NextPageToken string        `json:"next_page_token"`
	TotalCount    int           `json:"total_count"`
}

// list returns the pager of a list whose responses have "items".
func list[T any](c *Client, r request) *Pager[T] {
	return &Pager[T]{pages{client: c, request: r, blank: func() anyPage { return new(pageAnswer[T]) }}}
}

// repeatingList returns the pager of a list that is known to return the same
// complete page for every token. It ends at the first page with nothing new.
func repeatingList[T any](c *Client, r request) *Pager[T] {
	p := list[T](c, r)
	p.pages.repeats = true
	return p
}

// array returns the pager of a list whose response is one bare array.
func array[T any](c *Client, r request) *Pager[T] {
	return bare[T](c, r, false)
}

// offsetArray returns the pager of a list whose pages are bare arrays, and
// whose page tokens are offsets.
func offsetArray[T any](c *Client, r request) *Pager[T] {
	return bare[T](c, r, true)
}

func bare[T any](c *Client, r request, offset bool) *Pager[T] {
	r.nullable = true // some services write an empty array as null
	return &Pager[T]{pages{client: c, request: r, offset: offset, blank: func() anyPage { return &pageAnswer[T]{bare: true} }}}
}

// pageAnswer is a page, in one allocation. It contains all the code that
// depends on the item type, because the compiler duplicates generic code for
// each type.
type pageAnswer[T any] struct {
	page Page[T]
	body envelope[T]
	bare bool // the response is a bare array
}

// Decode decodes a response.
func (a *pageAnswer[T]) Decode(body io.Reader) (err error) {
	a.body = envelope[T]{} // nothing may be left of an attempt that broke off
	if a.bare {
		err = wire.Read(body, &a.body.Items)
	} else if err = wire.Read(body, &a.body); err == nil && !a.body.Items.Found {
		err = listed(false, "items")
	}
	a.page.Items, a.page.TotalCount, a.page.NextPageToken = a.body.Items.List, a.body.TotalCount, a.body.NextPageToken
	return err
}

// listed returns an error if a list is missing: the response is not an empty
// list.
func listed(found bool, name string) error {
	if !found {
		return fmt.Errorf("the list has no %q", name)
	}
	return nil
}

func (a *pageAnswer[T]) response() *Response  { return &a.page.Response }
func (a *pageAnswer[T]) length() int          { return len(a.page.Items) }
func (a *pageAnswer[T]) item(i int) any       { return &a.page.Items[i] }
func (a *pageAnswer[T]) next() string         { return a.page.NextPageToken }
func (a *pageAnswer[T]) setNext(token string) { a.page.NextPageToken = token }
func (a *pageAnswer[T]) content() any         { return a.page.Items }

// move moves the item at i to index n.
func (a *pageAnswer[T]) move(n, i int) { a.page.Items[n] = a.page.Items[i] }

func (a *pageAnswer[T]) truncate(n int) {
	clear(a.page.Items[n:])
	a.page.Items = a.page.Items[:n]
}
