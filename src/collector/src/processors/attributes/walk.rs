//! Where in a request attributes stand that are to be edited. Knows neither actions nor filters
//! from within.

use obspipe_model::Signal;

use super::action::{Actions, Context};
use super::filter::{Filter, Pass};
use super::list::List;
use super::patch::{Message, Part, Patches};
use crate::signal::otlp::Resource;
use crate::signal::view::View;
use crate::signal::wire::{Raw, Write as _};

/// Field of the resources' messages in a request, and of attributes in a resource.
const FIRST: u32 = 1;
/// Field of the scopes in a resource's message, of the items in a scope's.
const INNER: u32 = 2;
const SPAN_ATTRIBUTES: u32 = 9;
const LOG_RECORD_ATTRIBUTES: u32 = 6;

/// A pass over a request.
pub(super) struct Walk<'a> {
    actions: &'a Actions,
    context: &'a Context,
    /// What it changes.
    pub(super) patches: Patches,
    list: List<'a>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(actions: &'a Actions, context: &'a Context) -> Self {
        Self { actions, context, patches: Patches::default(), list: List::default() }
    }

    /// Edits the attributes of all resources.
    pub(super) fn resources(&mut self, request: &'a [u8]) {
        for holder in messages(Part { at: 0, bytes: request }, FIRST) {
            self.within(holder, |walk| match messages(holder.content, FIRST).next() {
                Some(resource) => walk.within(resource, |walk| {
                    walk.attributes(resource.content, FIRST);
                }),
                None => walk.no_resource(holder.content.at),
            });
        }
    }

    /// A resource that is not there has no attributes; it is there once it has.
    fn no_resource(&mut self, at: usize) {
        let mut patches = Patches::default();
        self.list.clear();
        self.actions.run(&mut self.list, self.context);
        self.list.changes(FIRST, 0, &mut patches);
        if let Some(resource) = patches.apply(&[]) {
            self.patches.replace(at, at, |out| out.put_bytes_field(FIRST, &resource));
        }
    }

    /// Edits the attributes of the items that pass a filter.
    pub(super) fn items(&mut self, signal: Signal, request: &'a [u8], filter: &Filter) {
        for holder in messages(Part { at: 0, bytes: request }, FIRST) {
            let resource = messages(holder.content, FIRST).next();
            let resource = Resource::parse(resource.map_or(&[], |found| found.content.bytes));
            let Some(pass) = filter.resource(signal, &resource) else { continue };
            self.within(holder, |walk| {
                for scope in messages(holder.content, INNER) {
                    let named = messages(scope.content, FIRST).next();
                    let named = named.map_or(&[][..], |found| found.content.bytes);
                    let Some(pass) = filter.scope(pass, named) else { continue };
                    walk.within(scope, |walk| {
                        for item in messages(scope.content, INNER) {
                            walk.within(item, |walk| walk.item(signal, item.content, filter, pass));
                        }
                    });
                }
            });
        }
    }

    fn item(&mut self, signal: Signal, item: Part<'a>, filter: &Filter, pass: Pass) {
        match signal {
            Signal::Traces if filter.span(pass, item.bytes) => {
                self.attributes(item, SPAN_ATTRIBUTES);
            }
            Signal::Logs if filter.log_record(pass, item.bytes) => {
                self.attributes(item, LOG_RECORD_ATTRIBUTES);
            }
            Signal::Metrics if filter.metric(pass, item.bytes) => self.points(item),
            _ => {}
        }
    }

    /// Edits the attributes of all data points of a metric.
    fn points(&mut self, metric: Part<'a>) {
        for data in metric.messages() {
            // Gauge and sum; histogram; exponential histogram; summary.
            let attributes = match data.number {
                5 | 7 | 11 => 7,
                9 => 9,
                10 => 1,
                _ => continue,
            };
            self.within(data, |walk| {
                for point in messages(data.content, FIRST) {
                    walk.within(point, |walk| walk.attributes(point.content, attributes));
                }
            });
        }
    }

    /// Edits the attributes that stand in the field `number` of a message.
    fn attributes(&mut self, holder: Part<'a>, number: u32) {
        self.list.clear();
        let mut end = None;
        for (start, field) in holder.fields().filter(|(_, field)| field.number == number) {
            let after = start + field.written.len();
            if let Raw::Bytes(bytes) = field.value {
                self.list.read(start, Part { at: after - bytes.len(), bytes });
                end = Some(after);
            }
        }
        self.actions.run(&mut self.list, self.context);
        self.list.changes(number, end.unwrap_or(holder.end()), &mut self.patches);
    }

    /// Goes into a message, whose length follows what is changed in it.
    fn within(&mut self, message: Message<'a>, f: impl FnOnce(&mut Self)) {
        let open = self.patches.open(&message);
        f(self);
        self.patches.close(open);
    }
}

/// The messages in the field `number` of another.
fn messages(part: Part<'_>, number: u32) -> impl Iterator<Item = Message<'_>> {
    part.messages().filter(move |message| message.number == number)
}
