package circleci

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// csvCell is a cell of a record. It is valid until the next record is read.
type csvCell struct {
	text   []byte
	null   bool
	quoted bool
}

// csvReader reads the CSV dialect of usage exports, which encoding/csv does not
// support: a backslash escapes the next character, and \N alone is null.
type csvReader struct {
	src   *bufio.Reader
	cells []csvCell
	text  []byte // of all cells of the record
	begin int    // of the cell in it
}

// These limits are far above any real row. They bound the cost of a broken
// file.
const (
	maxRow   = 1 << 20
	maxCells = 1 << 10
)

var (
	errLongRow = errors.New("a row is longer than a megabyte")
	errWideRow = errors.New("a row has more than a thousand cells")
	utf8BOM    = []byte("\xef\xbb\xbf")
)

// newCSVReader returns a reader of src that skips a byte-order mark.
func newCSVReader(src io.Reader) *csvReader {
	r := &csvReader{src: bufio.NewReaderSize(src, 64<<10)}
	if start, _ := r.src.Peek(len(utf8BOM)); bytes.Equal(start, utf8BOM) {
		_, _ = r.src.Discard(len(utf8BOM)) // cannot fail: it was peeked at
	}
	return r
}

// read returns the next record. It is valid until the next call of read.
func (r *csvReader) read() ([]csvCell, error) {
	for {
		r.cells, r.text = r.cells[:0], r.text[:0]
		if line := r.line(); line != nil && r.split(line) {
			_, _ = r.src.Discard(len(line) + 1) // cannot fail: it was peeked at
		} else if err := r.readSlowly(); err != nil {
			return nil, err
		}
		if len(r.cells) != 1 || len(r.cells[0].text) > 0 || r.cells[0].null || r.cells[0].quoted {
			return r.cells, nil
		} // else it is an empty line
	}
}

// line returns the next line, if all of it fits into the buffer.
func (r *csvReader) line() []byte {
	for seen := 0; ; {
		buffered, _ := r.src.Peek(r.src.Buffered())
		if i := bytes.IndexByte(buffered[seen:], '\n'); i >= 0 {
			return buffered[:seen+i]
		}
		seen = len(buffered)
		if _, err := r.src.Peek(seen + 1); err != nil {
			return nil
		}
	}
}

// split splits a line that has no quotes, and no escapes other than null. It
// returns false for any other line.
func (r *csvReader) split(line []byte) bool {
	if bytes.IndexByte(line, '"') >= 0 {
		return false
	}
	if i := bytes.IndexByte(line, '\r'); i == len(line)-1 && i >= 0 {
		line = line[:i]
	} else if i >= 0 {
		return false
	}
	escapes := bytes.IndexByte(line, '\\') >= 0
	for len(r.cells) < maxCells {
		cell, rest, more := line, line, false
		if i := bytes.IndexByte(line, ','); i >= 0 {
			cell, rest, more = line[:i], line[i+1:], true
		}
		null := escapes && string(cell) == `\N`
		if escapes && !null && bytes.IndexByte(cell, '\\') >= 0 {
			break // not the whole cell
		}
		r.cells = append(r.cells, csvCell{text: cell, null: null})
		if !more {
			return true
		}
		line = rest
	}
	r.cells = r.cells[:0]
	return false
}

// readSlowly reads any record, including quotes and escapes.
func (r *csvReader) readSlowly() error {
	for {
		end, err := r.cell()
		switch {
		case err == io.EOF && len(r.cells) == 0:
			return io.EOF
		case err != nil && err != io.EOF:
			return err
		case end || err == io.EOF:
			return nil
		}
	}
}

// cell reads a cell, and reports whether it is the last of its record. At the
// end of the file the error is io.EOF; the cell is valid unless the record is
// empty.
func (r *csvReader) cell() (last bool, err error) {
	var quoted, inQuotes, escaped bool
	r.begin = len(r.text)
	for {
		c, err := r.src.ReadByte()
		switch {
		case err == io.EOF && (inQuotes || escaped):
			return true, io.ErrUnexpectedEOF
		case err == io.EOF:
			if len(r.text) > r.begin || quoted || len(r.cells) > 0 {
				r.add(quoted)
			}
			return true, io.EOF
		case err != nil:
			return true, err
		case len(r.text) >= maxRow:
			return true, errLongRow
		case len(r.cells) >= maxCells:
			return true, errWideRow
		}
		switch {
		case escaped:
			escaped = false
			if c == 'N' && !quoted { // null, unlike a plain N
				r.text = append(r.text, '\\')
			}
			r.text = append(r.text, c)
		case c == '\\':
			escaped = true
		case inQuotes && c == '"':
			if next, err := r.src.Peek(1); err == nil && next[0] == '"' {
				_, _ = r.src.Discard(1) // cannot fail: it was peeked at
				r.text = append(r.text, '"')
				continue
			}
			inQuotes = false
		case inQuotes:
			r.text = append(r.text, c)
		case c == '"' && len(r.text) == r.begin && !quoted:
			quoted, inQuotes = true, true
		case c == ',':
			r.add(quoted)
			return false, nil
		case c == '\r':
		case c == '\n':
			r.add(quoted)
			return true, nil
		default:
			r.text = append(r.text, c)
		}
	}
}

func (r *csvReader) add(quoted bool) {
	cell := csvCell{text: r.text[r.begin:], quoted: quoted}
	if !quoted && string(cell.text) == `\N` {
		cell = csvCell{null: true}
	}
	r.cells = append(r.cells, cell)
}
