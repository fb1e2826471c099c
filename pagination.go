package circleci

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/circleci-go/circleci/internal/wire"
)

// Pager is a list of the API. Range over its items, or collect them:
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
// changed copy, so that they can be chained.
//
// Iteration always ends, except over a list that really has no end. An item that
// the API returns again, because new items have shifted the pages meanwhile, is
// yielded once; an item without an ID or another identity is never left out. A
// page whose token repeats ends the iteration with an error that matches
// [ErrPageLoop], after the items read so far.
type Pager[T any] struct{ pages pages }

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// NextPageToken is the token of the next page; empty if this is the last.
	// For a list that the API pages by offset it is the offset, in decimal.
	NextPageToken string
	// TotalCount is the number of items in all pages, if the API reports it.
	TotalCount int
	// Response is the metadata of the response.
	Response Response
}

// NewPager returns a Pager for a list that this package does not model: fetch
// returns the page with the given token, or the first if it is empty, usually by
// [Client.Do]. It is called by several goroutines if the Pager is.
//
// An item that is a struct with a field ID, of type string or uuid.UUID, is
// yielded once.
func NewPager[T any](fetch func(ctx context.Context, token string) (*Page[T], error)) *Pager[T] {
	return &Pager[T]{pages{
		label: "the list of NewPager",
		fetch: func(ctx context.Context, token string, _ int) fetched {
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

// All returns an iterator over the items of all pages. An error is yielded as
// the last element, with a zero item. Breaking out of the loop sends no further
// request.
//
// Always range with two variables. A loop with one compiles and drops the
// error: an incomplete list then looks like a complete one.
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

// Collect returns all items. If it fails, it returns the items read before the
// error with it.
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

// First returns the first item, or an error that matches [ErrNotFound] if the
// list is empty.
func (p *Pager[T]) First(ctx context.Context) (*T, error) {
	for item, err := range p.Take(1).All(ctx) {
		if err != nil {
			return nil, err
		}
		return &item, nil
	}
	return nil, p.pages.failed(ErrNotFound, "the list is empty")
}

// Pages returns an iterator over the pages, without the items that an earlier
// page had. An error is yielded as the last element, with a nil page.
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

// Page returns one page: the first if token is empty, or the one that the
// NextPageToken of an earlier page names. No item is left out.
func (p *Pager[T]) Page(ctx context.Context, token string) (*Page[T], error) {
	page, err := p.pages.one(ctx, token)
	if err != nil {
		return nil, err
	}
	return &page.(*pageAnswer[T]).page, nil
}

// Take returns a Pager that yields at most n items, and requests no more pages
// than these need. Zero or less yields none. It does not change [Pager.Page].
func (p *Pager[T]) Take(n int) *Pager[T] {
	changed := *p
	changed.pages.limited, changed.pages.most = true, max(n, 0)
	if p.pages.limited {
		changed.pages.most = min(changed.pages.most, p.pages.most)
	}
	return &changed
}

// Prefetch returns a Pager that requests the next page while the loop works on
// the current one: at most one page ahead, and none after the loop has ended.
func (p *Pager[T]) Prefetch() *Pager[T] {
	changed := *p
	changed.pages.prefetch = true
	return &changed
}

// From returns a Pager whose iteration begins at the page with the given token,
// the NextPageToken of an earlier page, so that an interrupted iteration can be
// resumed. Empty means the first page.
func (p *Pager[T]) From(token string) *Pager[T] {
	changed := *p
	changed.pages.from = token
	return &changed
}

// envelope is what surrounds the items of a page.
type envelope[T any] struct {
	Items         wire.Items[T] `json:"items"`
	NextPageToken string        `json:"next_page_token"`
	TotalCount    int           `json:"total_count"`
}

// list is the pager of a list whose answers have "items".
func list[T any](c *Client, r request) *Pager[T] {
	return &Pager[T]{pagesOf(c, r, false, func() anyPage { return new(pageAnswer[T]) })}
}

// repeatingList is the pager of a list that is known to return one complete page
// for every token: it ends at the first page without news.
func repeatingList[T any](c *Client, r request) *Pager[T] {
	p := list[T](c, r)
	p.pages.repeats = true
	return p
}

// array is the pager of a list that answers with a bare array, all at once.
func array[T any](c *Client, r request) *Pager[T] {
	return bare[T](c, r, false)
}

// offsetArray is the pager of a list that answers with a bare array for each
// page, and pages by offset.
func offsetArray[T any](c *Client, r request) *Pager[T] {
	return bare[T](c, r, true)
}

func bare[T any](c *Client, r request, offset bool) *Pager[T] {
	r.nullable = true // how some services write an empty array
	return &Pager[T]{pagesOf(c, r, offset, func() anyPage { return &pageAnswer[T]{bare: true} })}
}

// pageAnswer is a page, in one allocation. It holds all that a list of one type
// does otherwise than that of another, because a compiler repeats for each
// type, in each program, what is generic.
type pageAnswer[T any] struct {
	page Page[T]
	body envelope[T]
	bare bool // the API answers with a bare array
	room int  // for so many items
}

// Decode reads an answer.
func (a *pageAnswer[T]) Decode(body io.Reader) (err error) {
	a.body = envelope[T]{} // nothing may be left of an attempt that broke off
	if a.room > 0 {
		a.body.Items.List = make([]T, 0, a.room)
	}
	if a.bare {
		err = wire.Read(body, &a.body.Items.List)
	} else if err = wire.Read(body, &a.body); err == nil && !a.body.Items.Found {
		err = errors.New(`it has no "items", which a list has`)
	}
	a.page.Items, a.page.TotalCount, a.page.NextPageToken = a.body.Items.List, a.body.TotalCount, a.body.NextPageToken
	return err
}

func (a *pageAnswer[T]) expect(items int)     { a.room = items }
func (a *pageAnswer[T]) response() *Response  { return &a.page.Response }
func (a *pageAnswer[T]) length() int          { return len(a.page.Items) }
func (a *pageAnswer[T]) item(i int) any       { return &a.page.Items[i] }
func (a *pageAnswer[T]) next() string         { return a.page.NextPageToken }
func (a *pageAnswer[T]) setNext(token string) { a.page.NextPageToken = token }
func (a *pageAnswer[T]) content() any         { return a.page.Items }

// keep moves the item at i to the place n, and truncates the items there.
func (a *pageAnswer[T]) move(n, i int) { a.page.Items[n] = a.page.Items[i] }

func (a *pageAnswer[T]) truncate(n int) {
	clear(a.page.Items[n:])
	a.page.Items = a.page.Items[:n]
}
