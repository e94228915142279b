//! The built-in images that an engine has, and removing them.

use bollard::query_parameters::RemoveImageOptionsBuilder;
use serde_json::{Value, json};

use super::inspect::{all_labels, encoded};
use super::{Engine, Error};
use crate::container::image::LABEL_VARIANT;
use crate::container::ours::OurImage;

impl Engine {
    /// The built-in images, of whatever version.
    pub async fn our_images(&self) -> Result<Vec<OurImage>, Error> {
        let filters = encoded(&json!({ "label": [LABEL_VARIANT] }).to_string());
        let listed = self.ask("list images", &format!("/images/json?filters={filters}")).await?;
        let image = |listed: &Value| {
            let names = listed["RepoTags"].as_array().into_iter().flatten();
            let names: Vec<&str> = names.filter_map(Value::as_str).collect();
            OurImage::of(
                listed["Id"].as_str()?,
                &names,
                &all_labels(listed),
                listed["Size"].as_u64().unwrap_or_default(),
            )
        };
        Ok(listed.as_array().into_iter().flatten().filter_map(image).collect())
    }

    /// Takes our names from an image, and removes it unless somebody else has named it too. One that a container was
    /// made from is refused; one that is gone already is no error.
    pub async fn remove_image(&self, image: &OurImage) -> Result<(), Error> {
        let by_id = [image.id.clone()];
        let names = if image.names.is_empty() { &by_id[..] } else { &image.names };
        for name in names {
            let options = RemoveImageOptionsBuilder::default().build();
            match self.docker.remove_image(name, Some(options), None).await {
                Ok(_) => {}
                Err(source) => match Error::api("remove the image", source) {
                    error if error.is_missing() => {}
                    error => return Err(error),
                },
            }
        }
        Ok(())
    }
}
