// Oracle for the prometheus exporter: the page that otelcol's own exporter makes of OTLP requests.
//
// Standard input: frames of a length (4 bytes, big-endian) and so many bytes. The first is the
// exporter's settings as JSON, the second the scraper's Accept header, all others are
// ExportMetricsServiceRequest messages. Standard output: the page.
//
// With the argument "parse", the frames are a Content-Type and a page, which is read as a Prometheus
// server reads it. Standard output: the number of series; it fails where the server would.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	if len(os.Args) > 1 && os.Args[1] == "parse" {
		if err := parse(in); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(context.Background(), in); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, in io.Reader) error {
	settings, err := frame(in)
	if err != nil {
		return err
	}
	accept, err := frame(in)
	if err != nil {
		return err
	}
	endpoint, err := freePort()
	if err != nil {
		return err
	}
	values := map[string]any{}
	if err := json.Unmarshal(settings, &values); err != nil {
		return err
	}
	values["endpoint"] = endpoint
	factory := prometheusexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(values).Unmarshal(config); err != nil {
		return err
	}
	exporter, err := factory.CreateMetrics(ctx, exportertest.NewNopSettings(factory.Type()), config)
	if err != nil {
		return err
	}
	if err := exporter.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	for {
		body, err := frame(in)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		request := pmetricotlp.NewExportRequest()
		if err := request.UnmarshalProto(body); err != nil {
			return err
		}
		if err := exporter.ConsumeMetrics(ctx, request.Metrics()); err != nil {
			return err
		}
	}
	if err := scrape(ctx, endpoint, string(accept)); err != nil {
		return err
	}
	return exporter.Shutdown(ctx)
}

func parse(in io.Reader) error {
	contentType, err := frame(in)
	if err != nil {
		return err
	}
	page, err := frame(in)
	if err != nil {
		return err
	}
	parser, err := textparse.New(page, string(contentType), labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return err
	}
	series := map[string]bool{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			_, err = fmt.Println(len(series))
			return err
		} else if err != nil {
			return err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var found labels.Labels
		parser.Labels(&found)
		if name, twice := found.HasDuplicateLabelNames(); twice {
			return fmt.Errorf("%s: label %s twice", found, name)
		}
		if series[found.String()] {
			return fmt.Errorf("%s: twice", found)
		}
		series[found.String()] = true
	}
}

func frame(in io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(in, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	body := make([]byte, length)
	_, err := io.ReadFull(in, body)
	return body, err
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func scrape(ctx context.Context, endpoint, accept string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+endpoint+"/metrics", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
