package circleci

import (
	"context"
	"hash/maphash"
	"io"
	"iter"
	"strconv"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/transport"
	"github.com/circleci-go/circleci/internal/wire"
)

// Pager is a list of the API, to be walked page by page or item by item. It
// does no I/O until it is walked, and can be walked again, also by several
// goroutines at once.
//
//	for p, err := range client.Pipelines.ListForProject(slug, nil).All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(p.Number, p.State)
//	}
//
// A walk always ends. If a page or its token comes again, as some lists of the
// API do, the walk ends with an error that matches [ErrPageLoop]; all items
// have been handed over by then, and none twice. New items shift the pages of
// a list that is walked; an item that comes again by that is left out.
type Pager[T any] struct{ pages pages }

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// NextPageToken is the token of the next page; empty if this is the last.
	// For a list that the API pages by offset it is the offset, in decimal.
	NextPageToken string
	// TotalCount is the number of items in all pages, where the API tells it.
	TotalCount int
	// Response is what is known of the answer beside its content.
	Response Response
}

// envelope is what surrounds the items of a page.
type envelope[T any] struct {
	Items         []T    `json:"items"`
	NextPageToken string `json:"next_page_token"`
	TotalCount    int    `json:"total_count"`
}

// list is the pager of a list whose answers have "items".
func list[T any](c *Client, r request) *Pager[T] {
	return &Pager[T]{pages{client: c, request: r, blank: func() anyPage { return new(pageAnswer[T]) }}}
}

// array is the pager of a list that answers with a bare array, all at once.
func array[T any](c *Client, r request) *Pager[T] {
	r.nullable = true // how some services write an empty array
	return &Pager[T]{pages{client: c, request: r, blank: func() anyPage { return &pageAnswer[T]{bare: true} }}}
}

// offsetArray is the pager of a list that answers with a bare array for each
// page, and pages by offset.
func offsetArray[T any](c *Client, r request) *Pager[T] {
	p := array[T](c, r)
	p.pages.offset = true
	return p
}

// All walks over the items of all pages. An error is yielded as the last
// element, with a zero item. Breaking off the loop sends no further request.
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

// Pages walks over the pages. Items that an earlier page had are left out.
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

// Page fetches one page: the first with an empty token, or the one that an
// earlier page's NextPageToken names. Nothing is left out.
func (p *Pager[T]) Page(ctx context.Context, token string) (*Page[T], error) {
	page, err := p.pages.one(ctx, token)
	if err != nil {
		return nil, err
	}
	return &page.(*pageAnswer[T]).page, nil
}

// pageAnswer is a page in the making, in one allocation. It holds all that a
// list of one type does otherwise than that of another, as a compiler repeats
// for each type, in each program, what is generic.
type pageAnswer[T any] struct {
	page Page[T]
	body envelope[T]
	bare bool // the API answers with a bare array
	room int  // for so many items
}

// anyPage is a page, whatever its items are.
type anyPage interface {
	transport.Decoder
	expect(items int)
	response() *Response
	length() int
	keyed() bool
	content() any
	next() string
	setNext(token string)
	sift(known func(item any) bool)
}

// Decode reads an answer.
func (a *pageAnswer[T]) Decode(body io.Reader) (err error) {
	a.body = envelope[T]{} // nothing may be left of an attempt that broke off
	if a.room > 0 {
		a.body.Items = make([]T, 0, a.room)
	}
	if a.bare {
		err = wire.Read(body, &a.body.Items)
	} else {
		err = wire.Read(body, &a.body)
	}
	a.page.Items, a.page.TotalCount, a.page.NextPageToken = a.body.Items, a.body.TotalCount, a.body.NextPageToken
	return err
}

func (a *pageAnswer[T]) expect(items int)     { a.room = items }
func (a *pageAnswer[T]) response() *Response  { return &a.page.Response }
func (a *pageAnswer[T]) length() int          { return len(a.page.Items) }
func (a *pageAnswer[T]) keyed() bool          { _, ok := any((*T)(nil)).(keyed); return ok }
func (a *pageAnswer[T]) content() any         { return a.page.Items }
func (a *pageAnswer[T]) next() string         { return a.page.NextPageToken }
func (a *pageAnswer[T]) setNext(token string) { a.page.NextPageToken = token }

// sift leaves out, in place, the items that are known.
func (a *pageAnswer[T]) sift(known func(item any) bool) {
	items, n := a.page.Items, 0
	for i := range items {
		if known(&items[i]) {
			continue
		}
		if n != i {
			items[n] = items[i]
		}
		n++
	}
	clear(items[n:])
	a.page.Items = items[:n]
}

// pages is a list of anything.
type pages struct {
	client  *Client
	request request
	offset  bool // the API pages by offset, and not by token
	blank   func() anyPage
}

// walk is [Pager.Pages].
func (p *pages) walk(ctx context.Context, yield func(anyPage, error) bool) {
	var (
		o      callOptions
		memory seen
	)
	o.apply(p.request.opts)
	ctx, cancel := context.WithCancel(ctx)
	next := fetcher{pages: p, ctx: ctx, items: usualItems}
	defer next.stop()
	defer cancel()
	for token := ""; ; {
		page, response, err := next.get(token)
		o.give(response)
		if err == nil {
			err = memory.take(p, page)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		token = page.next()
		next.items = page.length() // the next page is likely to have as many
		looped := memory.token(token)
		if o.prefetch && token != "" && !looped {
			next.begin(token)
		}
		if !yield(page, nil) || token == "" {
			return
		}
		if looped {
			yield(nil, memory.loop(p))
			return
		}
	}
}

// one is [Pager.Page].
func (p *pages) one(ctx context.Context, token string) (anyPage, error) {
	var o callOptions
	o.apply(p.request.opts)
	page, response, err := p.fetch(ctx, token, usualItems)
	o.give(response)
	return page, err
}

// usualItems is how many a full page of most lists has.
const usualItems = 20

// fetch is one, but for what the caller's options capture. It makes room for
// as many items as are expected.
func (p *pages) fetch(ctx context.Context, token string, items int) (anyPage, Response, error) {
	page := p.blank()
	page.expect(items)
	r := p.request
	r.response = page.response()
	r.search.String(p.tokenName(), token)
	if err := p.client.run(ctx, &r, page); err != nil {
		return nil, *r.response, err
	}
	if p.offset {
		page.setNext(nextOffset(token, page.length()))
	}
	return page, *r.response, nil
}

func (p *pages) tokenName() string {
	if p.offset {
		return "offset"
	}
	return "page-token"
}

func nextOffset(token string, length int) string {
	if length == 0 {
		return ""
	}
	offset, _ := strconv.Atoi(token) // the first page has none
	return strconv.Itoa(offset + length)
}

// Prefetch makes the walk of a [Pager] fetch the next page while the loop is
// busy with this one: never more than one page ahead, and none after the loop
// has been broken off. It changes nothing for other methods.
func Prefetch() RequestOption { return func(o *callOptions) { o.prefetch = true } }

// fetcher gets the pages of one walk, one ahead of the loop if asked to.
type fetcher struct {
	pages *pages
	ctx   context.Context
	items int          // that a page is likely to have
	ahead chan fetched // of the page that is under way; nil: none
}

type fetched struct {
	page     anyPage
	response Response
	err      error
}

func (f *fetcher) begin(token string) {
	ahead := make(chan fetched, 1)
	f.ahead = ahead
	items := f.items
	go func() {
		page, response, err := f.pages.fetch(f.ctx, token, items)
		ahead <- fetched{page, response, err}
	}()
}

func (f *fetcher) get(token string) (anyPage, Response, error) {
	if f.ahead == nil {
		return f.pages.fetch(f.ctx, token, f.items)
	}
	got := <-f.ahead
	f.ahead = nil
	return got.page, got.response, got.err
}

// stop waits for a page that nobody wants any more; its context has ended.
func (f *fetcher) stop() {
	if f.ahead != nil {
		<-f.ahead
	}
}

// itemKey is the identity of an item: an ID, a name or both.
type itemKey struct {
	id   uuid.UUID
	name string
}

// keyed is an item with an identity. A page of items without one is known
// again by its content.
type keyed interface{ key() itemKey }

// seen is the memory of one walk: what ends it if pages repeat.
type seen struct {
	items  map[itemKey]struct{}
	pages  map[uint64]struct{} // by hash, of items without identity
	seed   maphash.Seed
	tokens map[string]struct{}
	count  int // items handed over
	empty  int // pages in a row
}

// mostEmpty is how many empty pages may follow each other, each with another
// token, before that is taken for a loop.
const mostEmpty = 100

// take leaves out the page's items that have been there, and fails if that
// leaves none. The last page may well bring nothing new: what it had was
// shifted from the page before.
func (s *seen) take(p *pages, page anyPage) error {
	if page.length() == 0 {
		if s.empty++; s.empty > mostEmpty {
			return s.loop(p)
		}
		return nil
	}
	s.empty = 0
	if s.count == 0 && page.next() == "" {
		return nil // the first page is the last: nothing repeats
	}
	if page.keyed() {
		page.sift(s.item)
	} else if s.page(page) {
		page.sift(func(any) bool { return true })
	}
	if page.length() == 0 && page.next() != "" {
		return s.loop(p)
	}
	s.count += page.length()
	return nil
}

// item remembers an item, and reports whether it has been there.
func (s *seen) item(item any) bool {
	key := item.(keyed).key()
	if key == (itemKey{}) { // the API has left out what it is known by
		data, _ := wire.Marshal(item) // what was read can be written
		key.name = "\x00" + string(data)
	}
	return known(&s.items, key)
}

// page is item, for all items of a page.
func (s *seen) page(page anyPage) bool {
	if s.pages == nil {
		s.seed = maphash.MakeSeed()
	}
	data, err := wire.Marshal(page.content())
	return err == nil && known(&s.pages, maphash.Bytes(s.seed, data))
}

// token is item, for the token of the next page.
func (s *seen) token(token string) bool { return token != "" && known(&s.tokens, token) }

// known puts a key into a set, and reports whether it has been there.
func known[K comparable](set *map[K]struct{}, key K) bool {
	if *set == nil {
		*set = map[K]struct{}{}
	}
	_, ok := (*set)[key]
	(*set)[key] = struct{}{}
	return ok
}

func (s *seen) loop(p *pages) error {
	return &PageLoopError{Method: p.request.method, Route: p.request.route, Items: s.count}
}

// Collect takes all items of a walk into a slice. If the walk fails, it
// returns what came before, with the error.
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}
