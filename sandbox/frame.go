package sandbox

import (
	"encoding/binary"
	"fmt"
)

// Frames carry everything between parent and worker. One frame is one message of at most MaxFrame
// bytes: a header of headerSize bytes, little endian, and a payload.
//
//	0  version    uint8
//	1  kind       uint8
//	2  flags      uint16
//	4  request    uint32  which request it belongs to, counted from 1
//	8  item       uint32  which item of that request
//	12 length     uint32  of the payload
const (
	frameVersion = 1
	headerSize   = 16
	// MaxFrame bounds one frame, header included.
	MaxFrame   = 64 << 10
	maxPayload = MaxFrame - headerSize
)

type frameKind uint8

const (
	frameReady   frameKind = iota + 1 // worker: confined and waiting; payload is a Confinement
	frameRequest                      // parent: items; descriptors travel beside it
	frameResult                       // worker: the answer to one item, or a part of it
	frameFailed                       // worker: the handler's error for one item
	frameRead                         // worker: wants bytes of a file that has no descriptor
	frameData                         // parent: those bytes, or a part of them
)

const (
	flagMore  uint16 = 1 << iota // the message goes on in the next frame
	flagError                    // of frameData: the payload is an error text
)

type frame struct {
	kind    frameKind
	flags   uint16
	request uint32
	item    uint32
	payload []byte
}

func (f frame) more() bool { return f.flags&flagMore != 0 }

// append adds the encoded frame to b.
func (f frame) append(b []byte) []byte {
	b = append(b, frameVersion, byte(f.kind))
	b = binary.LittleEndian.AppendUint16(b, f.flags)
	b = binary.LittleEndian.AppendUint32(b, f.request)
	b = binary.LittleEndian.AppendUint32(b, f.item)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.payload)))
	return append(b, f.payload...)
}

// parseFrame reads one whole message. The payload shares b.
func parseFrame(b []byte) (frame, error) {
	length, err := payloadLength(b)
	if err != nil {
		return frame{}, err
	}
	if len(b) != headerSize+length {
		return frame{}, fmt.Errorf("frame of %d bytes says %d", len(b), headerSize+length)
	}
	return frame{
		kind:    frameKind(b[1]),
		flags:   binary.LittleEndian.Uint16(b[2:]),
		request: binary.LittleEndian.Uint32(b[4:]),
		item:    binary.LittleEndian.Uint32(b[8:]),
		payload: b[headerSize:],
	}, nil
}

// payloadLength checks a header and returns the length it claims, which is within the limit.
func payloadLength(header []byte) (int, error) {
	if len(header) < headerSize {
		return 0, fmt.Errorf("frame of %d bytes has no header", len(header))
	}
	if header[0] != frameVersion {
		return 0, fmt.Errorf("frame version %d, want %d", header[0], frameVersion)
	}
	length := binary.LittleEndian.Uint32(header[12:])
	if length > maxPayload {
		return 0, fmt.Errorf("frame claims %d bytes, over %d", length, maxPayload)
	}
	return int(length), nil
}

// chunks cuts a message into frames like f; an empty message is one empty frame.
func (f frame) chunks(message []byte, send func(frame) error) error {
	for {
		n := min(len(message), maxPayload)
		f.payload, message = message[:n], message[n:]
		f.flags &^= flagMore
		if len(message) > 0 {
			f.flags |= flagMore
		}
		if err := send(f); err != nil || len(message) == 0 {
			return err
		}
	}
}
