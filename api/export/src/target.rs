//! Where files go: a folder, or a bucket of an object store that speaks S3.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, RetryConfig};
use partitura_event::{ErrorClass, Problem};

/// Tries and time of one request to a store. An export that fails can be repeated, so it does not wait for long.
const RETRIES: usize = 4;
const RETRY_TIME: Duration = Duration::from_secs(30);

/// One folder, here or in a store.
#[derive(Clone, Debug)]
pub struct Target {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    shown: String,
    folder: Option<PathBuf>,
}

impl Target {
    /// Opens a folder (made when it is missing), or `s3://bucket/prefix` as the `AWS_…` variables of the environment say:
    /// `AWS_ENDPOINT`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, … Without TLS only where that is allowed.
    pub fn open(at: &str, allow_http: bool) -> Result<Self, Problem> {
        match at.split_once("://") {
            Some(("s3" | "s3a", rest)) => Self::bucket(rest, allow_http),
            Some(("file", path)) => Self::folder(FilePath::new(path)),
            Some((scheme, _)) => {
                Err(Problem::invalid_field("target", "scheme", format!("`{scheme}://` is no target of exports"))
                    .hint("name a folder, or s3://bucket/prefix for any store that speaks S3"))
            }
            None => Self::folder(FilePath::new(at)),
        }
    }

    fn folder(path: &FilePath) -> Result<Self, Problem> {
        let wrong = |error: &dyn std::fmt::Display| {
            Problem::new(ErrorClass::Unavailable, format!("{} cannot be written: {error}", path.display()))
                .hint("check that the folder belongs to you, or choose another one")
        };
        std::fs::create_dir_all(path).map_err(|error| wrong(&error))?;
        let folder = path.canonicalize().map_err(|error| wrong(&error))?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| wrong(&error))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: String::new(),
            shown: path.display().to_string(),
            folder: Some(folder),
        })
    }

    fn bucket(rest: &str, allow_http: bool) -> Result<Self, Problem> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || bucket.contains('@') {
            let detail = "a target in a store is written s3://bucket/prefix";
            return Err(Problem::invalid_field("target", "bucket", detail)
                .hint("credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, never from the URL"));
        }
        let allow_http = allow_http || std::env::var("AWS_ALLOW_HTTP").is_ok_and(|value| value == "true");
        let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
            .iter()
            .find_map(|name| std::env::var(name).ok());
        if !allow_http && endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
            return Err(Problem::invalid_field(
                "target",
                "without_tls",
                "the endpoint of the store is http://, without TLS",
            )
            .hint("use https://, or allow it: --allow-http, or `allow_http = true` of a scheduled export"));
        }
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
        let store =
            AmazonS3Builder::from_env().with_bucket_name(bucket).with_allow_http(allow_http).with_retry(retry).build();
        let prefix = prefix.trim_matches('/').to_owned();
        let target = Self {
            store: Arc::new(store.map_err(|error| of_store("s3://", &error))?),
            prefix,
            shown: format!("s3://{rest}"),
            folder: None,
        };
        target.path("x")?;
        Ok(target)
    }

    /// Returns it as it was named.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns how a file in it is named for people.
    pub fn location(&self, file: &str) -> String {
        format!("{}/{file}", self.shown.trim_end_matches('/'))
    }

    fn path(&self, file: &str) -> Result<Path, Problem> {
        let whole = if self.prefix.is_empty() { file.to_owned() } else { format!("{}/{file}", self.prefix) };
        Path::parse(&whole).map_err(|error| Problem::invalid_field("target", "path", format!("{whole}: {error}")))
    }

    /// Reads a small file; `None` when there is none.
    pub async fn read(&self, file: &str) -> Result<Option<Bytes>, Problem> {
        let failed = |error: Error| of_store(&self.location(file), &error);
        match self.store.get(&self.path(file)?).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Replaces a small file: it is the old one or the new one, never half of it.
    pub async fn put(&self, file: &str, bytes: Vec<u8>) -> Result<(), Problem> {
        let put = self.store.put(&self.path(file)?, bytes.into()).await;
        put.map_err(|error| of_store(&self.location(file), &error))?;
        self.settle(&[file.to_owned()]).await
    }

    /// Begins a file, which is there when its writer is shut down.
    pub(crate) fn writer(&self, file: &str) -> Result<BufWriter, Problem> {
        Ok(BufWriter::new(Arc::clone(&self.store), self.path(file)?))
    }

    /// Lists the files below a folder.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, Problem> {
        let path = self.path(folder)?;
        let found: Vec<_> = self
            .store
            .list(Some(&path))
            .try_collect()
            .await
            .map_err(|error| of_store(&self.location(folder), &error))?;
        let own = |location: &Path| {
            let text = location.as_ref();
            text.strip_prefix(&self.prefix).unwrap_or(text).trim_start_matches('/').to_owned()
        };
        Ok(found.iter().map(|meta| own(&meta.location)).collect())
    }

    /// Removes a file; one that is not there is no error.
    pub async fn remove(&self, file: &str) -> Result<(), Problem> {
        match self.store.delete(&self.path(file)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(of_store(&self.location(file), &error)),
        }
    }

    /// Makes sure that files outlive a power cut. A store promises that by itself; a folder is synced.
    pub async fn settle(&self, files: &[String]) -> Result<(), Problem> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
        let (shown, sync) = (self.shown.clone(), move || paths.iter().try_for_each(|path| sync(path)));
        let synced = tokio::task::spawn_blocking(sync).await;
        match synced {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Problem::new(ErrorClass::Unavailable, format!("{shown} cannot be synced: {error}"))),
            Err(_) => Err(Problem::new(ErrorClass::Internal, "syncing files ended by a defect")),
        }
    }
}

fn sync(path: &FilePath) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

/// Turns what a store said into a problem.
pub(crate) fn of_store(at: &str, error: &Error) -> Problem {
    let (class, hint) = match error {
        Error::NotFound { .. } => (ErrorClass::NotFound, "check the name of the bucket; it is not made"),
        Error::Unauthenticated { .. } => {
            (ErrorClass::Unauthenticated, "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
        }
        Error::PermissionDenied { .. } => {
            (ErrorClass::Forbidden, "the credentials may not do that there: an export reads, writes, lists and deletes")
        }
        _ if is_full(error) => (ErrorClass::StorageFull, "free some space there, then export again"),
        _ => {
            (ErrorClass::Unavailable, "check AWS_ENDPOINT and AWS_REGION of a store, or the folder; then export again")
        }
    };
    Problem::new(class, format!("{at}: {error}")).code("export_target").hint(hint)
}

fn is_full(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        let kind = one.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = one.source();
    }
    false
}
