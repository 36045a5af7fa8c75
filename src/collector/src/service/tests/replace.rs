//! An exporter that gets other settings while the collector runs: nothing else restarts.

use obspipe_model::catalogue::Class;

use super::*;

fn exporter(yaml: &str) -> Component {
    let id = "otlp".parse().unwrap();
    checked(yaml).component(Class::Exporter, &id).unwrap().clone()
}

fn replace(service: &Service, yaml: &str) {
    service.replace_exporter(&"otlp".parse().unwrap(), &exporter(yaml)).unwrap();
}

#[tokio::test]
async fn what_waits_goes_to_the_new_backend_and_connections_stay_open() {
    // Nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (sink, backend) = Sink::start().await;
    let slow = "retry_on_failure: {initial_interval: 100s, max_interval: 100s}";
    let wrong = pipeline(nobody, "", "")
        .replace("retry_on_failure: {initial_interval: 10ms, max_interval: 50ms}", slow);
    let (service, address) = start(&wrong);
    let queue = match &service.exporters()[&"otlp".parse().unwrap()].to {
        To::Queue(queue) => queue.clone(),
        To::Direct(_) => panic!("it has a queue"),
    };
    let mut client = Client::to(address).await;
    for n in 0..30 {
        assert!(is_taken(&client.send(&numbered(&format!("{n}"), 10)).await));
    }
    until("a failure", || queue.is_failing()).await;
    let before = balance(&service);
    assert_eq!((before.entered, before.sent), (300, 0));
    assert!(before.queued > 0 && before.in_flight > 0, "{before:?}");

    let others = || {
        let receiver = &service.receivers[0];
        let inlets = Arc::as_ptr(&receiver.inlets);
        (receiver.scope.running(), inlets, Arc::as_ptr(&service.pipelines[0].entry))
    };
    let running = others();
    replace(&service, &pipeline(backend, "", ""));
    until("delivery", || balance(&service).sent == 300).await;
    assert_eq!(others(), running);
    // The same connection, the same queue.
    assert!(is_taken(&client.send(&numbered("after", 10)).await));
    until("delivery", || balance(&service).sent == 310).await;
    assert!(Arc::ptr_eq(
        &queue,
        match &service.exporters()[&"otlp".parse().unwrap()].to {
            To::Queue(queue) => queue,
            To::Direct(_) => panic!("it has a queue"),
        }
    ));
    assert!(service.drain(LONG).await.is_empty());
    assert_eq!(sink.names().len(), 310);
    let after = balance(&service);
    assert_eq!((after.entered, after.sent), (310, 310));
    assert!(after.dropped.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replaced_again_and_again_under_load_nothing_is_lost() {
    let (first, one) = Sink::start().await;
    let (second, two) = Sink::start().await;
    let (service, address) = start(&pipeline(one, "", ALL));
    let client = |n: usize| async move {
        let mut client = Client::to(address).await;
        for round in 0..100 {
            assert!(is_taken(&client.send(&numbered(&format!("{n}-{round}"), 10)).await));
        }
    };
    let clients: Vec<_> = (0..3).map(|n| tokio::spawn(client(n))).collect();
    for round in 0..20 {
        let backend = if round % 2 == 0 { two } else { one };
        replace(&service, &pipeline(backend, "", ALL));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for client in clients {
        client.await.unwrap();
    }
    assert!(service.drain(LONG).await.is_empty());
    let mut got = [first.names(), second.names()].concat();
    got.sort();
    let mut expected: Vec<String> = (0..3)
        .flat_map(|n| (0..100).flat_map(move |round| numbered(&format!("{n}-{round}"), 10)))
        .collect();
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(balance(&service).sent, 3000);
}

#[tokio::test]
async fn what_the_old_one_has_under_way_is_waited_for_when_draining() {
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_, backend) = Sink::start().await;
    let (service, address) = start(&pipeline(silent.local_addr().unwrap(), "timeout: 300s", ""));
    assert!(is_taken(&Client::to(address).await.send(&numbered("x", 10)).await));
    until("a request under way", || balance(&service).in_flight == 10).await;
    replace(&service, &pipeline(backend, "", ""));
    let began = Instant::now();
    let left = service.drain(Duration::from_millis(300)).await;
    assert!(began.elapsed() >= Duration::from_millis(250), "it has its time");
    assert_eq!(left.values().sum::<u64>(), 10);
    let balance = balance(&service);
    assert_eq!((balance.dropped["shutdown"], balance.in_flight), (10, 0));
    assert_eq!(service.account.used(), 0);
}

#[tokio::test]
async fn the_queue_gets_the_new_bounds() {
    let (sink, backend) = Sink::start().await;
    sink.refuse(Some(Code::Unavailable));
    let settings = |size| format!("sending_queue: {{sizer: items, queue_size: {size}}}");
    let (service, address) = start(&pipeline(backend, &settings(10), ""));
    let mut client = Client::to(address).await;
    assert!(!is_taken(&client.send(&numbered("x", 11)).await));
    replace(&service, &pipeline(backend, &settings(11), ""));
    assert!(is_taken(&client.send(&numbered("x", 11)).await));
    assert_eq!(service.snapshot().exporters[0].queue.unwrap().1, 11);
    sink.refuse(None);
    assert!(service.drain(LONG).await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_prepared_leaves_the_old_one_running() {
    let (sink, backend) = Sink::start().await;
    let (service, address) = start(&pipeline(backend, "", ""));
    let wrong = pipeline(backend, "", "")
        .replace("tls: {insecure: true}", "tls: {ca_file: /nowhere/ca.crt}");
    let refused = service.replace_exporter(&"otlp".parse().unwrap(), &exporter(&wrong));
    let said = refused.unwrap_err().to_string();
    assert!(said.starts_with("exporters.otlp: tls.ca_file: cannot read"), "{said}");
    let unknown =
        service.replace_exporter(&"otlp/2".parse().unwrap(), &exporter(&pipeline(backend, "", "")));
    assert_eq!(unknown.unwrap_err().to_string(), "exporters.otlp/2 is not running");
    assert!(is_taken(&Client::to(address).await.send(&numbered("x", 10)).await));
    assert!(service.drain(LONG).await.is_empty());
    assert_eq!(sink.names().len(), 10);
}

#[tokio::test]
async fn the_same_settings_change_nothing() {
    let (_, backend) = Sink::start().await;
    let yaml = pipeline(backend, "", "");
    let (service, _) = start(&yaml);
    let running = || service.exporters()[&"otlp".parse().unwrap()].scope.clone();
    let before = running();
    replace(&service, &yaml);
    assert!(!before.retired.is_cancelled());
    replace(&service, &pipeline(backend, "timeout: 7s", ""));
    assert!(before.retired.is_cancelled() && !running().retired.is_cancelled());
    service.drain(LONG).await;
}
