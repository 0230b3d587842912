from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lists", "0002_item")]

    operations = [
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(fields=("list", "text"), name="item_once_per_list"),
        ),
    ]
