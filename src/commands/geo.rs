//! Commands on places: members of sorted sets whose scores say where they are. What a score means is in
//! `data/geohash.rs`.

use alloc::{format, vec::Vec};
use core::ops::Bound;

use super::{
    Command, Ctx,
    args::{Arg, Choice, Key, Kind, Member, Rest, Shape, Words, one_of, options},
    reply::{Either, Reply, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::listpack::Entry,
        geohash::{Area, Point, Shape as Figure},
        limits::Limits,
        number::{Digits, float_in_places, parse_float, parse_i64, saturated},
        sorted_set::{Insert, SortedSet},
        sorting::{of_float, sort_by_number},
    },
    keyspace::{Event, Value},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "geo";
    /// Adds members at places to a sorted set, or moves them; returns how many are new.
    "GEOADD" = geoadd(key, options, places) since "3.2.0" [WRITE DENYOOM] O("log(N)) for each item added, where N is the number of elements in the sorted set");
    /// Returns the longitude and latitude of members.
    "GEOPOS" = geopos(key, members) since "3.2.0" [READONLY] O("1) for each member requested");
    /// Returns the geohashes of members as text.
    "GEOHASH" = geohash(key, members) since "3.2.0" [READONLY] O("1) for each member requested");
    /// Returns the distance between two members.
    "GEODIST" = geodist(key, member1, member2, unit) since "3.2.0" [READONLY] O("1");
    /// Returns the members in a circle, a box or a polygon.
    "GEOSEARCH" = geosearch(key, query) since "6.2.0" [READONLY] O("N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape");
    /// Stores the members in a circle, a box or a polygon as a sorted set; returns how many.
    "GEOSEARCHSTORE" = geosearchstore(destination, source, query) since "6.2.0" [WRITE DENYOOM] O("N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape");
    /// Returns or stores the members around a place.
    "GEORADIUS" = georadius(key, center, unit, options) since "3.2.0" [WRITE DENYOOM] O("N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index");
    /// Returns the members around a place.
    "GEORADIUS_RO" = georadius_ro(key, center, unit, options) since "3.2.10" [READONLY] O("N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index");
    /// Returns or stores the members around one of them.
    "GEORADIUSBYMEMBER" = georadiusbymember(key, member, unit, options) since "3.2.0" [WRITE DENYOOM] O("N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index");
    /// Returns the members around one of them.
    "GEORADIUSBYMEMBER_RO" = georadiusbymember_ro(key, member, unit, options) since "3.2.10" [READONLY] O("N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index");
};

// Adding ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

one_of! {
    /// Whom GEOADD moves or adds.
    enum Existence { "NX" = OnlyNew, "XX" = OnlyExisting }
}

options! {
    /// The options of GEOADD.
    struct AddOptions {
        existence: Choice<Existence>,
        count_changed: bool = "CH",
    }
}

/// `longitude latitude member [longitude latitude member …]`
#[derive(Clone, Copy)]
struct Places<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for Places<'a> {
    const SHAPE: Shape = Shape::Many(&[LONGITUDE, LATITUDE, Member::SHAPE]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let all = words.split_off(0);
        if all.is_empty() || !all.len().is_multiple_of(3) {
            return Err(Error::Syntax);
        }
        all.chunks_exact(3).try_for_each(|place| read_point(place).map(|_| ()))?;
        Ok(Places(all))
    }
}

fn geoadd<'a>(ctx: &mut Ctx, key: Key, options: AddOptions, places: Places<'a>) -> Result<usize> {
    let mut zset = ctx.write_or_create::<SortedSet>(key)?;
    let (inner, limits) = zset.with_limits();
    let (mut added, mut updated) = (0, 0);
    for place in places.0.chunks_exact(3) {
        let (score, member) = (read_point(place)?.score() as f64, place[2]);
        let is_meant = match options.existence.0 {
            Some(Existence::OnlyNew) => !inner.contains(member),
            Some(Existence::OnlyExisting) => inner.contains(member),
            None => true,
        };
        if is_meant {
            let done = inner.insert(member, score, limits);
            added += (done == Insert::Added) as usize;
            updated += (done == Insert::Updated) as usize;
        }
    }
    if added + updated > 0 {
        zset.changed(Event::ZAdd);
    }
    Ok(if options.count_changed { added + updated } else { added })
}

// Members one by one ──────────────────────────────────────────────────────────────────────────────────────────────────

typed! {
    /// Places, with null for members that there are not.
    Positions = "([number, number] | null)[]";
    /// Texts, with null for members that there are not.
    Geohashes = "(Bytes | null)[]";
}

type Members<'a> = Option<Rest<'a, Member<'a>>>;

fn geopos<'a>(
    ctx: &mut Ctx,
    key: Key,
    members: Members<'a>,
) -> Result<Written<Positions, impl FnOnce(&mut Writer) + use<>>> {
    let places = places(ctx, key, members)?;
    Ok(Written::new(move |out: &mut Writer| {
        out.array(places.len());
        for place in places {
            match place {
                Some(place) => write_place(place, out),
                None => out.null_array(),
            }
        }
    }))
}

fn geohash<'a>(
    ctx: &mut Ctx,
    key: Key,
    members: Members<'a>,
) -> Result<Written<Geohashes, impl FnOnce(&mut Writer) + use<>>> {
    let places = places(ctx, key, members)?;
    Ok(Written::new(move |out: &mut Writer| {
        out.array(places.len());
        for place in places {
            match place {
                Some(place) => out.bulk(&place.geohash()),
                None => out.null(),
            }
        }
    }))
}

fn places(ctx: &mut Ctx, key: Key, members: Members) -> Result<Vec<Option<Point>>> {
    let zset = ctx.read::<SortedSet>(key)?;
    let place = |member: Member| Some(Point::of_score(zset?.score(member.0)?));
    Ok(members.map_or(Vec::new(), |members| members.iter().map(place).collect()))
}

fn geodist(
    ctx: &mut Ctx,
    key: Key,
    member1: Member,
    member2: Member,
    unit: Option<Unit>,
) -> Result<Option<Vec<u8>>> {
    let zset = ctx.read::<SortedSet>(key)?;
    let place = |member: Member| Some(Point::of_score(zset?.score(member.0)?));
    let (Some(from), Some(to)) = (place(member1), place(member2)) else { return Ok(None) };
    Ok(Some(distance_text(from.distance(to) / unit.map_or(1.0, |unit| unit.0))))
}

// Searching ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const LONGITUDE: Shape = Shape::Word("longitude", Kind::Double);
const LATITUDE: Shape = Shape::Word("latitude", Kind::Double);

/// A unit of length, in metres.
#[derive(Clone, Copy)]
struct Unit(f64);

impl Unit {
    fn read(word: &[u8]) -> Result<Unit> {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let units = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
        let unit = units.into_iter().find(|(name, _)| is(name));
        unit.map(|(_, metres)| Unit(metres))
            .ok_or(Error::refused("ERR unsupported unit provided. please use M, KM, FT, MI"))
    }
}

impl Arg<'_> for Unit {
    const SHAPE: Shape =
        Shape::OneOf(&[Shape::Token("M"), Shape::Token("KM"), Shape::Token("FT"), Shape::Token("MI")]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        // More words are no unit too many but an error of their own.
        if words.len() > 1 {
            return Err(Error::Syntax);
        }
        Unit::read(words.next()?)
    }
}

/// Words that are looked at when the key is known, of which there are as many as the shape says.
macro_rules! looked_at_later {
    ($($(#[$doc:meta])* $Name:ident = $shape:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $Name<'a>(&'a [&'a [u8]]);

        impl<'a> Arg<'a> for $Name<'a> {
            const SHAPE: Shape = $shape;
            fn parse(words: &mut Words<'a>) -> Result<Self> {
                let all = if Self::SHAPE.is_fixed() { words.take_n(Self::SHAPE.min_words())? } else { words.split_off(0) };
                Ok($Name(all))
            }
        }
    )* };
}

looked_at_later! {
    /// `longitude latitude`
    Center = Shape::Group(&[LONGITUDE, LATITUDE]);
    /// `radius unit`
    Radius = Shape::Group(&[Shape::Word("radius", Kind::Double), Unit::SHAPE]);
    /// What GEORADIUS_RO takes besides the circle.
    ShowOptions = Shape::Options(&[WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER]);
    /// What GEORADIUS takes besides the circle.
    StoreOptions = Shape::Options(&[WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER, STORE]);
    /// What GEOSEARCH takes, in any order.
    ShowQuery = Shape::Group(&[FROM, BY, Shape::Options(&[ORDER, COUNT, WITH_COORD, WITH_DIST, WITH_HASH])]);
    /// What GEOSEARCHSTORE takes, in any order.
    StoreQuery = Shape::Group(&[FROM, BY, Shape::Options(&[ORDER, COUNT, Shape::Token("STOREDIST")])]);
}

const FROM: Shape = Shape::OneOf(&[
    Shape::Group(&[Shape::Token("FROMMEMBER"), Member::SHAPE]),
    Shape::Group(&[Shape::Token("FROMLONLAT"), LONGITUDE, LATITUDE]),
]);
const BY: Shape = Shape::OneOf(&[
    Shape::Group(&[Shape::Token("BYRADIUS"), Shape::Word("radius", Kind::Double), Unit::SHAPE]),
    Shape::Group(&[
        Shape::Token("BYBOX"),
        Shape::Word("width", Kind::Double),
        Shape::Word("height", Kind::Double),
        Unit::SHAPE,
    ]),
    // This one says itself where it is, and stands without FROMMEMBER and FROMLONLAT.
    Shape::Group(&[
        Shape::Token("BYPOLYGON"),
        Shape::Word("num-vertices", Kind::Integer),
        LONGITUDE,
        LATITUDE,
        LONGITUDE,
        LATITUDE,
        Shape::Many(&[LONGITUDE, LATITUDE]),
    ]),
]);
const WITH_COORD: Shape = Shape::Token("WITHCOORD");
const WITH_DIST: Shape = Shape::Token("WITHDIST");
const WITH_HASH: Shape = Shape::Token("WITHHASH");
const COUNT: Shape = Shape::Group(&[
    Shape::Token("COUNT"),
    Shape::Word("count", Kind::Integer),
    Shape::Maybe(&Shape::Token("ANY")),
]);
const ORDER: Shape = Shape::OneOf(&[Shape::Token("ASC"), Shape::Token("DESC")]);
const STORE: Shape = Shape::OneOf(&[
    Shape::Group(&[Shape::Token("STORE"), Shape::Key]),
    Shape::Group(&[Shape::Token("STOREDIST"), Shape::Key]),
]);

/// Which words a command of this family knows.
#[derive(Clone, Copy, PartialEq)]
enum Grammar {
    Geosearch,
    Geosearchstore,
    Georadius,
    GeoradiusRo,
}

impl Grammar {
    /// Whether the area is among the options.
    fn is_search(self) -> bool {
        matches!(self, Grammar::Geosearch | Grammar::Geosearchstore)
    }
}

/// Where a search starts.
#[derive(Clone, Copy)]
enum From {
    /// At a member; nowhere when there is no sorted set.
    Member(Option<Point>),
    Place(Point),
}

impl From {
    fn member(member: &[u8], zset: Option<&SortedSet>) -> Result<From> {
        let Some(zset) = zset else { return Ok(From::Member(None)) };
        let score = zset.score(member);
        let score = score.ok_or(Error::refused("ERR could not decode requested zset member"))?;
        Ok(From::Member(Some(Point::of_score(score))))
    }
}

/// A search as asked for.
#[derive(Default)]
struct Search<'a> {
    from: Option<From>,
    shape: Option<(Figure, Unit)>,
    is_ascending: Option<bool>,
    count: Option<usize>,
    any: bool,
    with_dist: bool,
    with_hash: bool,
    with_coord: bool,
    store: Option<Key<'a>>,
    /// Whether distances are stored rather than places.
    store_dist: bool,
}

impl<'a> Search<'a> {
    /// A search in a circle around a place.
    fn around(center: Center, radius: Radius) -> Result<Self> {
        let from = Some(From::Place(read_point(center.0)?));
        Ok(Search { from, shape: Some(read_circle(radius.0)?), ..Search::default() })
    }

    /// A search in a circle around a member. What the circle is, is not looked at without a sorted set.
    fn around_member(member: Member, radius: Radius, zset: Option<&SortedSet>) -> Result<Self> {
        let from = Some(From::member(member.0, zset)?);
        let shape = zset.map(|_| read_circle(radius.0)).transpose()?;
        Ok(Search { from, shape, ..Search::default() })
    }

    /// Reads the options. Members are looked up in `zset`.
    fn with(mut self, words: &'a [&'a [u8]], grammar: Grammar, zset: Option<&SortedSet>) -> Result<Self> {
        let mut words = Words::new(words);
        while !words.is_empty() {
            let known = self.read_form(&mut words)?
                || grammar == Grammar::Georadius && self.read_store(&mut words)?
                || grammar.is_search() && self.read_area(&mut words, zset)?;
            if !known && grammar == Grammar::Geosearchstore && words.take("STOREDIST") {
                self.store_dist = true;
            } else if !known {
                return Err(Error::Syntax);
            }
        }
        self.check(grammar)?;
        Ok(self)
    }

    fn read_form(&mut self, words: &mut Words<'a>) -> Result<bool> {
        if words.take("WITHDIST") {
            self.with_dist = true;
        } else if words.take("WITHHASH") {
            self.with_hash = true;
        } else if words.take("WITHCOORD") {
            self.with_coord = true;
        } else if words.take("ANY") {
            self.any = true;
        } else if words.take("ASC") {
            self.is_ascending = Some(true);
        } else if words.take("DESC") {
            self.is_ascending = Some(false);
        } else if words.take_with("COUNT", 1) {
            let count = parse_i64(words.next()?).ok_or(Error::NotInteger)?;
            let count = saturated(count).filter(|count| *count > 0);
            self.count = Some(count.ok_or(Error::refused("ERR COUNT must be > 0"))?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn read_store(&mut self, words: &mut Words<'a>) -> Result<bool> {
        for (token, store_dist) in [("STORE", false), ("STOREDIST", true)] {
            if words.take_with(token, 1) {
                (self.store, self.store_dist) = (Some(Key::parse(words)?), store_dist);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_area(&mut self, words: &mut Words<'a>, zset: Option<&SortedSet>) -> Result<bool> {
        let figure = self.shape.as_ref().map(|(figure, _)| figure);
        let is_polygon = matches!(figure, Some(Figure::Polygon(_)));
        let may_circle = matches!(figure, None | Some(Figure::Circle { .. }));
        let may_box = matches!(figure, None | Some(Figure::Rectangle { .. }));
        let may_member = !is_polygon && !matches!(self.from, Some(From::Place(_)));
        let may_place = !is_polygon && !matches!(self.from, Some(From::Member(_)));
        if may_member && words.take_with("FROMMEMBER", 1) {
            self.from = Some(From::member(words.next()?, zset)?);
        } else if may_place && words.take_with("FROMLONLAT", 2) {
            self.from = Some(From::Place(read_point(words.take_n(2)?)?));
        } else if may_circle && words.take_with("BYRADIUS", 2) {
            self.shape = Some(read_circle(words.take_n(2)?)?);
        } else if may_box && words.take_with("BYBOX", 3) {
            self.shape = Some(read_box(words.take_n(3)?)?);
        } else if figure.is_none() && self.from.is_none() && words.take_with("BYPOLYGON", 2) {
            self.shape = Some((read_polygon(words)?, Unit(1.0)));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn check(&self, grammar: Grammar) -> Result<()> {
        const SHOWN: &str = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
        let shows = self.with_dist || self.with_hash || self.with_coord;
        let is_polygon = matches!(self.shape, Some((Figure::Polygon(_), _)));
        let name = if grammar == Grammar::Geosearch { "geosearch" } else { "geosearchstore" };
        let text = match grammar {
            Grammar::Geosearchstore if shows => format!("ERR GEOSEARCHSTORE {SHOWN}"),
            _ if self.store.is_some() && shows => format!("ERR STORE option in GEORADIUS {SHOWN}"),
            _ if grammar.is_search() && self.from.is_none() && !is_polygon => {
                format!("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}")
            }
            _ if grammar.is_search() && self.shape.is_none() => {
                format!("ERR exactly one of BYRADIUS and BYBOX can be specified for {name}")
            }
            _ if self.any && self.count.is_none() => "ERR the ANY argument requires COUNT argument".into(),
            _ => return Ok(()),
        };
        Err(text.into())
    }

    /// The area, if there is a place to search around.
    fn area(&self) -> Option<Area> {
        match (self.from, self.shape.clone()?) {
            (_, (Figure::Polygon(corners), _)) => Some(Area::of_polygon(corners)),
            (Some(From::Place(center) | From::Member(Some(center))), (shape, Unit(unit))) => {
                Some(Area { center, shape, unit })
            }
            _ => None,
        }
    }

    /// The members found, in the order asked for.
    fn hits<'z>(&self, zset: &'z SortedSet) -> Vec<Hit<'z>> {
        let Some(area) = self.area() else { return Vec::new() };
        let most = self.count.unwrap_or(usize::MAX);
        let mut hits = Vec::new();
        'cells: for cell in area.scores() {
            let (min, max) = (cell.start as f64, cell.end as f64);
            for (member, score) in zset.range(zset.ranks_by_score(Bound::Included(min), Bound::Excluded(max)))
            {
                let place = Point::of_score(score);
                if let Some(distance) = area.distance_within(place) {
                    hits.push(Hit { member, score, place, distance: distance / area.unit });
                }
                if self.any && hits.len() >= most {
                    break 'cells;
                }
            }
        }
        // The nearest ones are meant, unless any will do.
        let is_ascending = self.is_ascending.or((self.count.is_some() && !self.any).then_some(true));
        match is_ascending {
            Some(true) => sort_by_number(&mut hits, |hit| of_float(hit.distance)),
            Some(false) => sort_by_number(&mut hits, |hit| !of_float(hit.distance)),
            None => {}
        }
        hits.truncate(most);
        hits
    }
}

fn read_point(words: &[&[u8]]) -> Result<Point> {
    let longitude = parse_float(words[0]).ok_or(Error::NotFloat)?;
    let latitude = parse_float(words[1]).ok_or(Error::NotFloat)?;
    Point::new(longitude, latitude).ok_or_else(|| {
        let [longitude, latitude] = [longitude, latitude].map(|degrees| float_in_places(degrees, 6));
        format!("ERR invalid longitude,latitude pair {longitude},{latitude}").into()
    })
}

fn read_circle(words: &[&[u8]]) -> Result<(Figure, Unit)> {
    let radius = parse_float(words[0]).ok_or(Error::refused("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(Error::refused("ERR radius cannot be negative"));
    }
    Ok((Figure::Circle { radius }, Unit::read(words[1])?))
}

fn read_box(words: &[&[u8]]) -> Result<(Figure, Unit)> {
    let width = parse_float(words[0]).ok_or(Error::refused("ERR need numeric width"))?;
    let height = parse_float(words[1]).ok_or(Error::refused("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(Error::refused("ERR height or width cannot be negative"));
    }
    Ok((Figure::Rectangle { width, height }, Unit::read(words[2])?))
}

/// `num-vertices longitude latitude [longitude latitude …]`
fn read_polygon(words: &mut Words) -> Result<Figure> {
    let count = parse_i64(words.next()?).and_then(|n| i32::try_from(n).ok());
    let count = count.ok_or(Error::refused("ERR invalid number of vertices"))?;
    let count = usize::try_from(count).ok().filter(|count| (3..=words.len() / 2).contains(count));
    let count = count.ok_or(Error::refused("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"))?;
    let corners = words.take_n(2 * count)?.chunks_exact(2).map(read_point);
    Ok(Figure::Polygon(corners.collect::<Result<_>>()?))
}

/// A member that was found.
#[derive(Clone, Copy)]
struct Hit<'z> {
    member: Entry<'z>,
    score: f64,
    place: Point,
    /// From the center, in the unit asked for.
    distance: f64,
}

/// Members that were found, with what was asked for of each.
struct Hits<'z> {
    hits: Vec<Hit<'z>>,
    with_dist: bool,
    with_hash: bool,
    with_coord: bool,
}

impl Reply for Hits<'_> {
    const TS: &'static str = "Bytes[] | [Bytes, ...(Bytes | number | [number, number])[]][]";
    fn write(self, out: &mut Writer<'_>) {
        let more = [self.with_dist, self.with_hash, self.with_coord].iter().filter(|with| **with).count();
        out.array(self.hits.len());
        for hit in self.hits {
            if more > 0 {
                out.array(1 + more);
            }
            hit.member.write_bulk(out);
            if self.with_dist {
                out.bulk(&distance_text(hit.distance));
            }
            if self.with_hash {
                out.integer(hit.score as i64);
            }
            if self.with_coord {
                write_place(hit.place, out);
            }
        }
    }
}

fn write_place(place: Point, out: &mut Writer) {
    out.array(2);
    for degrees in [place.longitude, place.latitude] {
        let text = float_in_places(degrees, 17);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        out.double_as(if text == "-0" { b"0" } else { text.as_bytes() });
    }
}

/// A distance in four digits behind the point.
fn distance_text(distance: f64) -> Vec<u8> {
    float_in_places(distance, 4).into_bytes()
}

fn geosearch<'c, 'a: 'c>(ctx: &'c mut Ctx, key: Key, query: ShowQuery<'a>) -> Result<Hits<'c>> {
    let zset = ctx.read::<SortedSet>(key)?;
    let search = Search::default().with(query.0, Grammar::Geosearch, zset)?;
    Ok(search.shown(zset))
}

fn geosearchstore<'a>(ctx: &mut Ctx, destination: Key, source: Key, query: StoreQuery<'a>) -> Result<usize> {
    let limits = ctx.limits.clone();
    let zset = ctx.read::<SortedSet>(source)?;
    let search = Search::default().with(query.0, Grammar::Geosearchstore, zset)?;
    let stored = search.stored(zset, &limits);
    Ok(store(ctx, destination, stored, Event::GeoSearchStore))
}

fn georadius_ro<'c, 'a: 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    center: Center<'a>,
    radius: Radius<'a>,
    options: ShowOptions<'a>,
) -> Result<Hits<'c>> {
    let zset = ctx.read::<SortedSet>(key)?;
    let search = Search::around(center, radius)?.with(options.0, Grammar::GeoradiusRo, zset)?;
    Ok(search.shown(zset))
}

fn georadiusbymember_ro<'c, 'a: 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    member: Member,
    radius: Radius<'a>,
    options: ShowOptions<'a>,
) -> Result<Hits<'c>> {
    let zset = ctx.read::<SortedSet>(key)?;
    let search = Search::around_member(member, radius, zset)?.with(options.0, Grammar::GeoradiusRo, zset)?;
    Ok(search.shown(zset))
}

fn georadius<'c, 'a: 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    center: Center<'a>,
    radius: Radius<'a>,
    options: StoreOptions<'a>,
) -> Result<Either<Hits<'c>, usize>> {
    show_or_store(ctx, key, |zset| Search::around(center, radius)?.with(options.0, Grammar::Georadius, zset))
}

fn georadiusbymember<'c, 'a: 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    member: Member<'a>,
    radius: Radius<'a>,
    options: StoreOptions<'a>,
) -> Result<Either<Hits<'c>, usize>> {
    show_or_store(ctx, key, |zset| {
        Search::around_member(member, radius, zset)?.with(options.0, Grammar::Georadius, zset)
    })
}

/// Answers with what a search finds, or with how many it stored.
fn show_or_store<'c, 'a>(
    ctx: &'c mut Ctx,
    key: Key,
    read: impl FnOnce(Option<&SortedSet>) -> Result<Search<'a>>,
) -> Result<Either<Hits<'c>, usize>> {
    let limits = ctx.limits.clone();
    let found = ctx.look_up(key);
    let zset =
        found.map(|found| ctx.database().get::<SortedSet>(found).ok_or(Error::WrongType)).transpose()?;
    let search = read(zset)?;
    if let Some(destination) = search.store {
        let stored = search.stored(zset, &limits);
        return Ok(Either::Right(store(ctx, destination, stored, Event::GeoRadiusStore)));
    }
    let zset = found.and_then(|found| ctx.database().get(found));
    Ok(Either::Left(search.shown(zset)))
}

impl Search<'_> {
    fn shown<'z>(&self, zset: Option<&'z SortedSet>) -> Hits<'z> {
        let hits = zset.map_or(Vec::new(), |zset| self.hits(zset));
        Hits { hits, with_dist: self.with_dist, with_hash: self.with_hash, with_coord: self.with_coord }
    }

    fn stored(&self, zset: Option<&SortedSet>, limits: &Limits) -> SortedSet {
        let mut stored = SortedSet::new();
        for hit in zset.map_or(Vec::new(), |zset| self.hits(zset)) {
            let score = if self.store_dist { hit.distance } else { hit.score };
            stored.insert(hit.member.text(&mut Digits::new()), score, limits);
        }
        stored
    }
}

/// Sets a key to a sorted set, or deletes it when that is empty; answers with the number of members.
fn store(ctx: &mut Ctx, destination: Key, stored: SortedSet, event: Event) -> usize {
    let len = stored.len();
    if len == 0 {
        ctx.delete(destination);
    } else {
        ctx.put(destination, Value::SortedSet(stored), None);
        ctx.changed(destination, event);
    }
    len
}
