// The oracle of the jaeger exporter's tests: what contrib's translator of the last release that had
// the exporter makes of OTLP. Reads ExportTraceServiceRequests from stdin, each after its length as
// four bytes, big-endian; answers each with the number of its batches and, each after its length,
// these as PostSpansRequests.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jaegertracing/jaeger/proto-gen/api_v2"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/jaeger"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func main() {
	if err := answer(bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(in io.Reader, out *bufio.Writer) error {
	for {
		var length uint32
		if err := binary.Read(in, binary.BigEndian, &length); errors.Is(err, io.EOF) {
			return out.Flush()
		} else if err != nil {
			return err
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		if err := translate(body, out); err != nil {
			return err
		}
	}
}

func translate(body []byte, out io.Writer) error {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return fmt.Errorf("reading OTLP: %w", err)
	}
	batches, err := jaeger.ProtoFromTraces(request.Traces())
	if err != nil {
		return fmt.Errorf("translating: %w", err)
	}
	if err := binary.Write(out, binary.BigEndian, uint32(len(batches))); err != nil {
		return err
	}
	for _, batch := range batches {
		post := api_v2.PostSpansRequest{Batch: *batch}
		encoded, err := post.Marshal()
		if err != nil {
			return fmt.Errorf("writing a batch: %w", err)
		}
		if err := binary.Write(out, binary.BigEndian, uint32(len(encoded))); err != nil {
			return err
		}
		if _, err := out.Write(encoded); err != nil {
			return err
		}
	}
	return nil
}
