//! `partitura-load`: puts a load on a running server and prints one JSON line of what it measured.
//!
//! `corpus` and `vectors` prepare the search bench; `embed` runs the model without a server. `speed/` calls all of it.

mod append;
mod client;
mod corpus;
mod dice;
mod documents;
mod embed;
mod event;
mod history;
mod lag;
mod percentile;
mod query;
mod search;
mod trickle;
mod vectors;
mod words;

use clap::{Parser, Subcommand};

/// Whatever stops a load.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A load on a running server.
#[derive(Parser)]
struct Arguments {
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:7070", global = true)]
    url: String,
    #[command(subcommand)]
    load: Load,
}

#[derive(Subcommand)]
enum Load {
    /// Durable appends by many clients, each with one batch in flight.
    Append(append::Options),
    /// From acknowledge to visible in SQL and in search, while others write.
    Lag(lag::Options),
    /// Writes a history for the other loads to ask about, as fast as it is taken.
    History(history::Options),
    /// One event per request, one after the other.
    Trickle(trickle::Options),
    /// Times each SQL statement of a file (separated by `;`), several runs, best and median.
    Query(query::Options),
    /// Makes texts with vectors, and queries, in files that every engine of the search bench reads.
    Corpus(corpus::Options),
    /// Appends the texts of a corpus.
    Documents(documents::Options),
    /// Puts the vectors of a corpus into the store of a server that is stopped.
    Vectors(vectors::Options),
    /// Searches: latencies, throughput, and recall of approximate answers.
    Search(search::Options),
    /// Embeds texts of several lengths with the server's own embedder, without a server.
    Embed(embed::Options),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Arguments { url, load } = Arguments::parse();
    let report = match load {
        Load::Append(options) => append::run(&url, options).await?,
        Load::Lag(options) => lag::run(&url, options).await?,
        Load::History(options) => history::run(&url, options).await?,
        Load::Trickle(options) => trickle::run(&url, options).await?,
        Load::Query(options) => query::run(&url, options).await?,
        Load::Corpus(options) => corpus::run(&options)?,
        Load::Documents(options) => documents::run(&url, options).await?,
        Load::Vectors(options) => vectors::run(&options).await?,
        Load::Search(options) => search::run(&url, options).await?,
        Load::Embed(options) => embed::run(&options)?,
    };
    println!("{report}");
    Ok(())
}
