package circleci

import (
	"context"
	"fmt"
	"hash/maphash"
	"reflect"
	"strconv"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/transport"
	"github.com/circleci-go/circleci/internal/wire"
)

// anyPage is a page with items of any type.
type anyPage interface {
	transport.Decoder
	response() *Response
	length() int
	item(i int) any // a pointer to it
	content() any
	next() string
	setNext(token string)
	move(to, from int)
	truncate(n int)
}

// pages is a list with items of any type.
type pages struct {
	client  *Client
	request request // without a page token
	offset  bool    // page tokens are offsets
	blank   func() anyPage
	own     func(ctx context.Context, token string) fetched // of NewPager; nil for a list of the API
	repeats bool                                            // the list is known to return the same complete page for every token

	prefetch bool
	from     string // the first page's token
	limited  bool   // to most items
	most     int
}

// fetch requests a page.
func (p *pages) fetch(ctx context.Context, token string) fetched {
	if p.own != nil {
		return p.own(ctx, token)
	}
	page := p.blank()
	r := p.request
	r.captured = new(captured)
	tokenName := "page-token"
	if p.offset {
		tokenName = "offset"
	}
	r.search.String(tokenName, token)
	err := p.client.run(ctx, &r, page)
	*page.response() = r.captured.response
	if p.offset {
		page.setNext(nextOffset(token, page.length()))
	}
	return fetched{page, r.captured, err}
}

func nextOffset(token string, length int) string {
	if length == 0 {
		return ""
	}
	offset, _ := strconv.Atoi(token) // empty for the first page
	return strconv.Itoa(offset + length)
}

// walk implements [Pager.Pages].
func (p *pages) walk(ctx context.Context, yield func(anyPage, error) bool) {
	if p.limited && p.most == 0 {
		return
	}
	var (
		o      callOptions
		memory = seen{tokens: map[string]struct{}{p.from: {}}}
		left   = p.most
	)
	o.apply(p.request.opts)
	next := fetcher{pages: p, ctx: ctx}
	if p.prefetch && ctx != nil {
		var cancel context.CancelFunc
		next.ctx, cancel = context.WithCancel(ctx)
		defer next.stop()
		defer cancel()
	}
	for token := p.from; ; {
		got := next.get(token)
		o.give(got.captured)
		if got.err != nil {
			yield(nil, got.err)
			return
		}
		page := got.page
		token = page.next()
		news := memory.take(page)
		if p.repeats && !news && !memory.first() {
			return
		}
		if p.limited {
			page.truncate(min(left, page.length()))
			left -= page.length()
		}
		last := token == "" || p.limited && left == 0
		looped := !last && !p.repeats && (known(&memory.tokens, token) || memory.barren >= mostBarren)
		if p.prefetch && !last && !looped {
			next.begin(token)
		}
		switch {
		case !yield(page, nil) || last:
			return
		case looped:
			yield(nil, p.failed(ErrPageLoop, fmt.Sprintf("%d items were read before", memory.count)))
			return
		}
	}
}

// failed returns an error about the list as a whole.
func (p *pages) failed(err error, why string) error {
	list := "the list of NewPager"
	if p.own == nil {
		list = p.request.method + " " + p.request.route
	}
	return fmt.Errorf("circleci: %s: %w: %s", list, err, why)
}

// one implements [Pager.Page].
func (p *pages) one(ctx context.Context, token string) (anyPage, error) {
	var o callOptions
	o.apply(p.request.opts)
	got := p.fetch(ctx, token)
	o.give(got.captured)
	return got.page, got.err
}

// fetcher fetches the pages of one iteration, optionally one page ahead of the
// loop.
type fetcher struct {
	pages *pages
	ctx   context.Context
	ahead chan fetched // the page being fetched; nil: none
}

type fetched struct {
	page     anyPage
	captured *captured
	err      error
}

func (f *fetcher) begin(token string) {
	ahead := make(chan fetched, 1)
	f.ahead = ahead
	go func() {
		ahead <- f.pages.fetch(f.ctx, token)
	}()
}

func (f *fetcher) get(token string) fetched {
	if f.ahead == nil {
		return f.pages.fetch(f.ctx, token)
	}
	got := <-f.ahead
	f.ahead = nil
	return got
}

// stop waits for the fetch of a page that is not needed any more; its context was
// canceled.
func (f *fetcher) stop() {
	if f.ahead != nil {
		<-f.ahead
	}
}

// itemKey is the identity of an item: an ID, a name or both. The zero itemKey
// means no identity.
type itemKey struct {
	id   uuid.UUID
	name string
}

// keyed is an item with an identity.
type keyed interface{ key() itemKey }

// keyOf returns the identity of the item that a pointer points to.
func keyOf(item any) itemKey {
	if k, ok := item.(keyed); ok {
		return k.key()
	}
	v := reflect.ValueOf(item).Elem()
	if v.Kind() != reflect.Struct || v.Type().PkgPath() == packagePath {
		return itemKey{}
	}
	switch id := fieldID(v).(type) {
	case uuid.UUID:
		return itemKey{id: id}
	case string:
		return itemKey{name: id}
	}
	return itemKey{}
}

var packagePath = reflect.TypeFor[itemKey]().PkgPath()

func fieldID(v reflect.Value) any {
	field, ok := v.Type().FieldByName("ID")
	if !ok || len(field.Index) > 1 || !field.IsExported() {
		return nil
	}
	return v.FieldByIndex(field.Index).Interface()
}

// seen remembers the items of one iteration. It detects repeated items, and
// pages that contain nothing new.
type seen struct {
	items  map[itemKey]struct{}
	pages  map[uint64]struct{} // by hash, of the items without identity
	seed   maphash.Seed
	tokens map[string]struct{}
	taken  int // pages
	count  int // items
	barren int // consecutive pages with nothing new
}

// mostBarren is the number of consecutive pages with nothing new, each with a
// different token, that counts as a loop.
const mostBarren = 100

// take removes the items of the page that were seen before. It reports whether
// the page contains anything new: an item with a new identity, or a set of
// items without identity that no earlier page had.
func (s *seen) take(page anyPage) bool {
	s.taken++
	n, length, identified := 0, page.length(), 0
	for i := range length {
		if key := keyOf(page.item(i)); key != (itemKey{}) {
			if known(&s.items, key) {
				continue
			}
			identified++
		}
		if n != i {
			page.move(n, i)
		}
		n++
	}
	page.truncate(n)
	s.count += n
	news := identified > 0
	if n > identified && (s.taken > 1 || page.next() != "") { // otherwise there is nothing to compare with
		news = !s.page(page) || news
	} else if n > 0 {
		news = true
	}
	if s.barren++; news {
		s.barren = 0
	}
	return news
}

// first reports whether only one page has been taken.
func (s *seen) first() bool { return s.taken == 1 }

// page remembers the items of a page, and reports whether an earlier page had
// the same items.
func (s *seen) page(page anyPage) bool {
	if s.pages == nil {
		s.seed = maphash.MakeSeed()
	}
	data, err := wire.Marshal(page.content())
	return err == nil && known(&s.pages, maphash.Bytes(s.seed, data))
}

// known adds a key to a set, and reports whether the set already contained it.
func known[K comparable](set *map[K]struct{}, key K) bool {
	if *set == nil {
		*set = map[K]struct{}{}
	}
	_, ok := (*set)[key]
	(*set)[key] = struct{}{}
	return ok
}
