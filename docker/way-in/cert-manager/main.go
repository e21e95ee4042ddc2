// SPDX-License-Identifier: GPL-3.0-or-later

// cert-manager with issuers of the kinds ACME and SelfSigned: the controller, or with --listen-port the pod that answers an HTTP-01 challenge.
// cert-manager's own commands are modules of their own, which the Go module proxy does not serve. These are its libraries.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/klog/v2"

	"github.com/cert-manager/cert-manager/pkg/controller"
	// Each makes itself known to the controller
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

const workers = 2 // a controller

func run(ctx context.Context, options controller.ContextOptions, metricsAddress string) error {
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return fmt.Errorf("connection to the API server: %w", err)
	}
	shared, err := factory.Build()
	if err != nil {
		return fmt.Errorf("shared caches: %w", err)
	}

	group, ctx := errgroup.WithContext(ctx)
	for name, construct := range controller.Known() {
		part, err := construct(factory)
		if err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
		group.Go(func() error { return part.Run(workers, ctx) })
	}
	listener, err := net.Listen("tcp", metricsAddress)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	shared.Metrics.SetupCertificateCollector(shared.SharedInformerFactory.Certmanager().V1().Certificates().Lister())
	metrics := shared.Metrics.NewServer(listener)
	group.Go(func() error {
		if err := metrics.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("metrics: %w", err)
		}
		return nil
	})
	context.AfterFunc(ctx, func() { metrics.Close() })

	// What all of them registered for
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	shared.GWShared.Start(ctx.Done())
	return group.Wait()
}

func main() {
	// Of the controller. The solver's image is this one.
	image := flag.String("solver-image", "", "image of the pods that answer HTTP-01 challenges")
	namespace := flag.String("cluster-resource-namespace", "cert-manager", "namespace of the Secrets of ClusterIssuers")
	kubeconfig := flag.String("kubeconfig", "", "how the API server is reached (default: as a pod does)")
	metricsAddress := flag.String("metrics-listen-address", "0.0.0.0:9402", "where Prometheus asks")
	// Of the solver, as the controller names them
	challenge := solver.HTTP01Solver{}
	flag.IntVar(&challenge.ListenPort, "listen-port", 0, "answer a challenge at this port")
	flag.StringVar(&challenge.Domain, "domain", "", "name that the challenge is for")
	flag.StringVar(&challenge.Token, "token", "", "its token")
	flag.StringVar(&challenge.Key, "key", "", "its answer")
	flag.Parse()

	log := klog.Background()
	var err error
	if challenge.ListenPort != 0 {
		// It ends at a signal by itself
		err = challenge.Listen(log)
	} else {
		ctx, stop := signal.NotifyContext(klog.NewContext(context.Background(), log), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		options := controller.ContextOptions{}
		options.Kubeconfig = *kubeconfig
		options.EnableGatewayAPI = true
		options.ClusterResourceNamespace = *namespace
		options.MaxConcurrentChallenges = 10
		options.CertificateRequestMinimumBackoffDuration = time.Minute
		options.CertificateRequestMaximumBackoffDuration = time.Hour
		options.HTTP01SolverImage = *image
		options.ACMEHTTP01SolverRunAsNonRoot = true
		options.HTTP01SolverResourceRequestCPU = resource.MustParse("10m")
		options.HTTP01SolverResourceRequestMemory = resource.MustParse("64Mi")
		options.HTTP01SolverResourceLimitsCPU = resource.MustParse("100m")
		options.HTTP01SolverResourceLimitsMemory = resource.MustParse("64Mi")
		err = run(ctx, options, *metricsAddress)
	}
	if err != nil {
		klog.ErrorS(err, "Stopped")
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}
