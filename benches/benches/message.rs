//! Messages: (i) start line and header fields found, (ii) the ten headers of a registrar read as well.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use sip_oauth_benches::{Message, head, http_head, shared, ten_headers};
use sip_oauth_message::{Limits, MessageView};

fn ours(criterion: &mut Criterion) {
    for (message, fields, ten) in Message::ours() {
        let view = MessageView::parse(&message.bytes, &Limits::default()).expect("a message");
        assert_eq!(view.fields().count(), fields, "{}", message.name);
        assert_eq!(view.trailing(), 0, "{}", message.name);
        assert_eq!(ten_headers(&message.bytes), Ok(ten), "{}", message.name);
    }
    let messages: Vec<Message> = Message::ours().into_iter().map(|(own, ..)| own).collect();
    both_jobs(criterion, "ours", &messages);
}

fn from_the_material(criterion: &mut Criterion) {
    let messages = shared();
    for Message { name, bytes } in &messages {
        let view = MessageView::parse(bytes, &Limits::default()).expect("a message");
        let ten = ten_headers(bytes).expect("ten readable headers");
        let length = ten.content_length.map(|length| length as usize);
        assert!(
            ten.via.is_some() && ten.from.is_some() && ten.to.is_some(),
            "{name}"
        );
        assert!(ten.call_id.is_some() && ten.cseq.is_some(), "{name}");
        assert_eq!(length, Some(view.body().len()), "{name}");
    }
    both_jobs(criterion, "shared", &messages);
}

fn both_jobs(criterion: &mut Criterion, set: &str, messages: &[Message]) {
    let mut group = criterion.benchmark_group(format!("message/httparse/{set}"));
    for message in messages {
        let view = MessageView::parse(&message.bytes, &Limits::default()).expect("a message");
        let name = message.name.clone();
        let bytes = message.http_twin();
        assert_eq!(http_head(&bytes), Ok(view.fields().count()), "{name}");
        time(&mut group, &Message { name, bytes }, |bytes| {
            http_head(bytes).expect("checked before");
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group(format!("message/head/{set}"));
    for message in messages {
        time(&mut group, message, |bytes| {
            head(bytes).expect("checked before");
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group(format!("message/ten headers/{set}"));
    for message in messages {
        time(&mut group, message, |bytes| {
            black_box(&ten_headers(bytes).expect("checked before"));
        });
    }
    group.finish();
}

fn time(group: &mut BenchmarkGroup<'_, WallTime>, message: &Message, job: impl Fn(&[u8])) {
    group.throughput(Throughput::Bytes(message.bytes.len() as u64));
    group.bench_function(&message.name, |bencher| {
        bencher.iter(|| job(black_box(&message.bytes)));
    });
}

criterion_group!(benches, ours, from_the_material);
criterion_main!(benches);
