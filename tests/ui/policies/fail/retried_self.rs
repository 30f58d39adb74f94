use ddd_core::{Refused, retry};

struct Request(String);

impl Request {
    fn into_text(self) -> String {
        self.0
    }

    #[retry(3)]
    async fn given_away(self) -> Result<String, Refused> {
        let request = self;
        Ok(request.into_text())
    }
}

fn main() {}
